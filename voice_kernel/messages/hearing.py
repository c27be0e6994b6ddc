"""The microphone and what turns its sound into text.

The sound itself travels beside `Audio`, in a binary buffer.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voice_kernel.messages.wire import Problem, Wire

ListenMode = Literal["push", "toggle", "handsfree"]
"""How the microphone is used: while a key is held, from click to click, or open all the time."""


class Speech(Wire):
    """The recogniser's state."""

    state: Literal["idle", "loading", "ready", "listening", "transcribing", "unavailable"] = "idle"
    engine: str = "local"
    message: str = ""
    hint: str = ""
    mode: Literal["command", "dictation"] = "command"
    """What becomes of words: commands are carried out, dictation goes into a cell."""
    hands_free: bool = False
    """Whether a microphone stays open, and silence ends an utterance."""
    waiting_for: str = ""
    """Hands-free: the phrase that must be said first; empty while commands are taken."""
    heard: str = ""
    """Hands-free: words that were heard and are not acted on; shown for a moment, kept nowhere."""
    chosen: str = ""
    """The engine that was chosen, where `engine` hears in its place for now; else empty."""
    sent_to: str = ""
    """Host that the sound is sent to; empty when it stays on the kernel's machine."""
    language: str = "en"
    """What is spoken: ISO 639-1."""
    phrases: list[str] = []
    """Names that may be spoken, at most 100; only while the page's own recogniser hears."""


class SpeechEngine(Wire):
    """One way to turn speech into text."""

    name: str
    sent_to: str = ""
    """Host that the sound is sent to; empty when it stays on the kernel's machine. What a browser does with
    it, only the page knows."""
    problem: str = ""
    """Why it cannot be used as things are; empty when it can."""
    hint: str = ""


class SpeechChanged(Wire):
    type: Literal["speech"] = "speech"
    speech: Speech


class SpeechEngines(Wire):
    """Answer to `ListEngines`."""

    type: Literal["speech_engines"] = "speech_engines"
    id: int
    engines: list[SpeechEngine] = []
    chosen: str = ""
    locked: bool = False
    """Whether the administrator has chosen."""
    problem: Problem | None = None


class AudioStart(Wire):
    """The microphone opened; chunks follow."""

    type: Literal["audio_start"] = "audio_start"
    utterance_id: str
    rate_hz: int = Field(ge=8000, le=192000)
    hands_free: bool = False
    """Whether it stays open: the kernel finds the utterances in it, and each becomes a turn."""


class Audio(Wire):
    """One chunk of mono 16-bit little-endian PCM, in the message's first binary buffer."""

    type: Literal["audio"] = "audio"
    utterance_id: str
    seq: int
    """From 0, without a gap."""


class AudioReleased(Wire):
    """The key was released; the last samples, and `AudioEnd`, follow.

    Where the kernel has heard that the speaker had finished, it waits for neither.
    """

    type: Literal["audio_released"] = "audio_released"
    utterance_id: str


class AudioEnd(Wire):
    """All of a recording was sent (`discard` false), or it was thrown away."""

    type: Literal["audio_end"] = "audio_end"
    utterance_id: str
    chunks: int
    """How many chunks were sent, so that a missing one is noticed."""
    discard: bool = False


class Heard(Wire):
    """What the page's own recogniser makes of an utterance, beside its sound. The first says that it listens.

    The sound is streamed all the same: where the browser fails, the kernel hears what was said.
    """

    type: Literal["heard"] = "heard"
    utterance_id: str
    text: str = Field(default="", max_length=10_000)
    """All of the utterance so far."""
    final: bool = False
    problem: str = Field(default="", max_length=300)
    """Why there will be no text, in one sentence; ends it like `final`."""


class HearAgain(Wire):
    """Turn the sound of a turn into text once more: none came of it before."""

    type: Literal["hear_again"] = "hear_again"
    turn_id: int


class ListEngines(Wire):
    """Answered with `SpeechEngines`."""

    type: Literal["list_engines"] = "list_engines"
    id: int


class ChooseEngine(Wire):
    """Let another engine turn speech into text from now on, until the kernel ends."""

    type: Literal["choose_engine"] = "choose_engine"
    engine: str = Field(max_length=100)


class WarmUp(Wire):
    """The panel is open: load the recogniser now."""

    type: Literal["warm_up"] = "warm_up"
