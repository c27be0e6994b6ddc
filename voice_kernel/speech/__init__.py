"""From sound to text: on this machine, unless somebody chose otherwise.

    transcriber   the ports: `Transcriber`, `Recognition`, `Transcript` (standard library only)
    clip          `AudioClip`: mono 16 kHz sound out of files, bytes and PCM
    resampling    any sampling rate to 16 kHz, chunk by chunk
    frames        how sound is looked at for speech: 32 ms each (standard library only)
    vad           where in the sound somebody speaks (Silero)
    spotting      the same for an open microphone, in a thread of its own
    endpointing   when an utterance begins and ends in it (standard library only)
    recent        the newest sound of an open microphone (standard library only)
    keeping       recordings that are kept because the person asked for it
    wake          the wake phrase, by a model of its own or in the recogniser's text
    settling      partial texts that do not flicker (standard library only)
    melspectrum   what Whisper sees of a sound
    whisper       one short-window decode of at most 30 s, and the guard against its loops
    utterance     from the samples of one utterance to its text: segments, reading ahead, belief
    vocabulary    the text that tells Whisper which words to expect
    joined        the multilingual model, out of its two parts
    named         models by name, from the Hugging Face Hub
    weights       where the model files are, and whether they are the ones we know
    worker        one daemon thread that runs jobs by urgency
    local         the `local` engine: utterances in the worker, behind the ports
    recording     the sound of one utterance, kept until a text exists
    openai        the `openai` engine: any server with OpenAI's interface for transcriptions
    browser       the `browser` engine: the page that records recognises too
    chosen        the engine that was chosen, and the local one in its place while it fails
    files         transcripts of whole files, one record each

Importing this package, `transcriber` or `local` costs nothing: numpy, CTranslate2 and ONNX Runtime
are imported in the worker thread when they are first needed.

It does not know panels, sessions or commands: it turns sound into words, and who opened the
recognition decides what the words mean.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voice_kernel.speech.clip import AudioClip
    from voice_kernel.speech.files import transcribe_files
    from voice_kernel.speech.local import LocalTranscriber

__all__ = ["AudioClip", "LocalTranscriber", "transcribe_files"]

_HOME = {"AudioClip": "clip", "LocalTranscriber": "local", "transcribe_files": "files"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
