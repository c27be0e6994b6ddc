"""Turns: what was said or typed, and what became of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voice_kernel.messages.tasks import Call, Origin
from voice_kernel.messages.wire import Problem, Wire

TurnState = Literal[
    "listening", "understanding", "running", "succeeded", "failed", "cancelled", "nothing", "dismissed"
]
"""`nothing`: the turn ended and nothing was to be done (no speech, or words that are no command).
`dismissed`: what an open microphone heard began like a command and was talk; it is kept and shown nowhere."""
Route = Literal["intents", "fuzzy", "model", "none"]


class Usage(Wire):
    """What answers of a model took."""

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    """Of the input: what the server knew already."""
    output_tokens: int = 0
    price_usd: float | None = None
    """In US dollars; None where no price is known."""


class Turn(Wire):
    """One utterance and what became of it."""

    id: int
    parent_id: int | None = None
    """The turn inside which this one was started (`%voice run cell 3`)."""
    state: TurnState
    origin: Origin
    surface_id: str = ""
    """The surface that started it; empty for a magic."""
    request: str = ""
    """What that surface called it when it asked."""
    text: str = ""
    """The transcript as heard or typed; never rewritten."""
    partial: bool = False
    """True while the transcript may still change."""
    settled: int = 0
    """Of a partial transcript: its first so many characters stay as they are while more is said."""
    asks: str = ""
    """A question that waits for a yes or a no before anything is done: "Did you mean ...?"."""
    route: Route | None = None
    calls: list[Call] = []
    closest: list[str] = []
    """Phrases that would have been understood, when this one was not."""
    answer: str = ""
    """What the assistant says: Markdown when the route is `model`, else plain text."""
    model: str = ""
    """Which model answers, and where it runs: `qwen3 at 127.0.0.1:11434`; empty when none was asked."""
    usage: Usage | None = None
    """What its answer has taken so far."""
    problem: Problem | None = None
    created_at: float
    ended_at: float | None = None
    audio_s: float | None = None
    """Length of the speech."""
    latency_s: float | None = None
    """From the end of speech to the final transcript."""
    engine: str = ""
    """The speech engine that heard it; empty where nothing was spoken."""
    kept_audio: bool = False
    """No text came of it, and its sound is still there: it can be heard again."""


class TurnChanged(Wire):
    type: Literal["turn"] = "turn"
    turn: Turn


class AnswerDelta(Wire):
    """More of a model's answer."""

    type: Literal["answer_delta"] = "answer_delta"
    turn_id: int
    text: str


class Say(Wire):
    """Text typed, or a transcript that was edited and is to be run again."""

    type: Literal["say"] = "say"
    text: str = Field(max_length=10_000)
    corrects_turn_id: int | None = None
    request: str = Field(default="", max_length=64)
    """What the surface calls it: the turn that it becomes has it too."""
    model: str = Field(default="", max_length=200)
    """Which model answers, where one has to: counts only if the settings let it be chosen."""
    tool: str = Field(default="", max_length=100)
    """The tool that is to be used for it."""


class CancelTurn(Wire):
    type: Literal["cancel_turn"] = "cancel_turn"
    turn_id: int


class Do(Wire):
    """Carry out calls as one turn: a task run again with changes, a step of a replay.

    They go through the same door as any other: validated, and asking where policy wants it.
    """

    type: Literal["do"] = "do"
    text: str = Field(default="", max_length=10_000)
    calls: list[Call] = Field(min_length=1, max_length=50)
    request: str = Field(default="", max_length=64)
    """As in `Say`."""


class Attach(Wire):
    """A file that was dropped or pasted, for questions to refer to by `@name`; in the first binary buffer.

    Kept in memory until the session ends, and given to nobody before a question names it.
    """

    type: Literal["attach"] = "attach"
    name: str = Field(min_length=1, max_length=200)
    size: int = Field(ge=0, le=8_000_000)
    """Bytes, so that a file that did not arrive whole is noticed."""


class AnswerQuestion(Wire):
    """A click on Yes or No of a turn that asks."""

    type: Literal["answer_question"] = "answer_question"
    turn_id: int
    yes: bool
