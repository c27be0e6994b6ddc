"""Recordings that are kept because the person asked for it: one WAV file for each turn.

Without a folder nothing is ever written. It does not know who speaks, nor what becomes of the words.
"""

from __future__ import annotations

import os
import time
import wave
from pathlib import Path

from voice_kernel.errors import AudioError
from voice_kernel.language import _
from voice_kernel.speech.transcriber import RATE_HZ

MAX_KEPT_BYTES = 1 << 30
"""A folder that holds more is given nothing more."""


class AudioFolder:
    """Where recordings are kept.

    Args:
        folder: made when the first one is written, for its owner alone.
        max_bytes: see `MAX_KEPT_BYTES`.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self.folder = folder
        self._max_bytes = max_bytes

    def keep(self, pcm: bytes, turn_id: int, *, rate_hz: int = RATE_HZ) -> Path:
        """Write mono 16-bit PCM as a WAV file and return its path. Blocks: call it in a thread.

        Raises:
            AudioError: it cannot be written, or the folder is full.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            used = sum(file.stat().st_size for file in self.folder.glob("*.wav"))
            if used + len(pcm) > self._max_bytes:
                raise AudioError(
                    _("The folder of recordings is full: {folder}.").format(folder=self.folder),
                    hint=_("Remove some of them, or unset VOICE_KERNEL_KEEP_AUDIO."),
                )
            stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
            path = self.folder / f"{stamp}_{os.getpid()}_turn-{turn_id}.wav"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file, wave.open(file, "wb") as sound:
                sound.setnchannels(1)
                sound.setsampwidth(2)
                sound.setframerate(rate_hz)
                sound.writeframes(pcm)
        except OSError as error:
            raise AudioError(
                _("The recording could not be kept in {folder}: {strerror}.").format(
                    folder=self.folder, strerror=error.strerror
                ),
                hint=_("Name another folder in VOICE_KERNEL_KEEP_AUDIO."),
            ) from error
        return path
