"""Makes the German clips of the manifest: `python tests/data/speech-de/make.py [FOLDER of pico2wave]`.

Needs SVOX Pico with its German voice (Debian: libttspico-utils and libttspico-data). `spelling` in a row is
how a German says the words of the trade; a German voice would read them letter by letter.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np

from voice_kernel.speech.clip import AudioClip

HERE = Path(__file__).parent
QUIET_S = 0.15
"""Left before and after the speech: enough for a detector, and no more to keep."""


def main(folder: str = "") -> None:
    """Make every clip anew."""
    pico = str(Path(folder) / "pico2wave")
    for line in (HERE / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        said = row.get("spelling", row["text"])
        text = f'<speed level="{row["speed"]}"><pitch level="{row["pitch"]}">{said}</pitch></speed>'
        with tempfile.NamedTemporaryFile(suffix=".wav") as made:
            subprocess.run([pico, "-l", "de-DE", "-w", made.name, text], check=True)
            write(HERE / row["file"], AudioClip.read(Path(made.name)))


def write(path: Path, clip: AudioClip) -> None:
    """Write a clip as Opus, with little silence around it: a tenth of a WAV, and as well understood."""
    loud = np.flatnonzero(np.abs(clip.samples) > 0.01)
    quiet = round(QUIET_S * clip.rate_hz)
    kept = clip.samples[max(0, loud[0] - quiet) : loud[-1] + quiet]
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=clip.rate_hz, layout="mono", options={"b": "32000"})
        pcm = np.round(kept * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.rate = clip.rate_hz
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


if __name__ == "__main__":
    main(*sys.argv[1:])
