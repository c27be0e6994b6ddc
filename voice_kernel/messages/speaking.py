"""Spoken answers: how a page wants them, their sound, and whether they were heard."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voice_kernel.messages.wire import Wire

Verbosity = Literal["off", "errors", "short", "full"]
"""How much of an answer is spoken aloud."""
VoiceEngine = Literal["auto", "local", "browser", "openai"]
"""Whose voice speaks; `auto`: a voice of the browser that needs no network, else the local one."""


class SpeakAnswer(Wire):
    """One piece of a spoken answer, to the one surface that was spoken to; the next piece follows it.

    By the kernel: mono 16-bit little-endian PCM in the first binary buffer, absent in a last piece that
    only ends the answer. By the browser: the page speaks `text` itself.
    """

    type: Literal["speak_answer"] = "speak_answer"
    id: int
    """Of the answer; a higher one replaces those before it."""
    seq: int = 0
    """From 0, without a gap."""
    turn_id: int = 0
    text: str = ""
    """What is heard, in words."""
    rate: float = Field(default=1.0, ge=0.5, le=2.0)
    """How fast; the kernel's own sound is made at this pace already."""
    rate_hz: int = 0
    """Of the sound; 0 where there is none."""
    language: str = "en"
    by: Literal["kernel", "browser"] = "kernel"
    last: bool = True


class StopSpeaking(Wire):
    """Say no more of an answer, from this moment on."""

    type: Literal["stop_speaking"] = "stop_speaking"
    id: int


class HoldSpeaking(Wire):
    """Hold an answer where it is, somebody may be speaking up; or let it go on, nobody was."""

    type: Literal["hold_speaking"] = "hold_speaking"
    id: int
    hold: bool


class SpeakChanged(Wire):
    """A person said how this page is to answer from now on; the page remembers it and tells it back."""

    type: Literal["speak_changed"] = "speak_changed"
    speak: Verbosity
    rate: float = Field(default=1.0, ge=0.5, le=2.0)


class SpeakChoice(Wire):
    """How this surface is to be answered aloud, as its page remembers it."""

    type: Literal["speak_choice"] = "speak_choice"
    speak: Verbosity
    voice: VoiceEngine = "auto"
    rate: float = Field(default=1.0, ge=0.5, le=2.0)
    """1 is the voice's own pace, 2 twice as fast."""
    browser_voice: bool = False
    """Whether the browser has a voice for the session's language that needs no network."""


class SpeakingState(Wire):
    """What became of a spoken answer: it is heard now, was heard to its end, or was not.

    `held`: no sound from this moment on, until the kernel says whether somebody speaks up.
    """

    type: Literal["speaking_state"] = "speaking_state"
    id: int
    state: Literal["started", "held", "ended", "stopped", "failed"]
