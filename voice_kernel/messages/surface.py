"""A surface as such: how it begins, all that it draws, and what belongs to no other subject."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voice_kernel.messages.approvals import Approval
from voice_kernel.messages.hearing import ListenMode, Speech
from voice_kernel.messages.history import Keeping
from voice_kernel.messages.speaking import Verbosity, VoiceEngine
from voice_kernel.messages.tasks import Task
from voice_kernel.messages.turns import Turn
from voice_kernel.messages.widgets import Widget
from voice_kernel.messages.wire import PROTOCOL, Problem, Wire


class About(Wire):
    """What a surface shows of the configuration; never a secret."""

    version: str
    model: str = ""
    """The configured model's name; empty when the grammar answers alone."""
    model_server: str = ""
    """Where it runs: host and port."""
    model_stays: bool = False
    """Whether what is sent to it stays on this machine."""
    models: list[str] = []
    """What can be chosen instead, as `choose_model` takes it."""
    shell_allowed: bool = False
    cwd: str = ""
    warnings: list[str] = []
    notify_after_s: float = 20.0
    """Tasks that took longer than this are worth a notification, to those who asked for notifications."""
    language: str = "en"
    """What the session speaks and shows: ISO 639-1."""
    speak: Verbosity = "off"
    """How much is spoken where the page has no choice of its own; so are the next two."""
    voice: VoiceEngine = "auto"
    speech_rate: float = 1.0
    listen: ListenMode = "push"
    """How the microphone is used where the page has no choice of its own; so is `earcons`."""
    earcons: bool = True
    """Whether short tones tell when the microphone opens, has heard, and closes."""
    wake_phrase: str = ""
    """What hands-free listening waits for; empty for nothing."""
    audio_kept_in: str = ""
    """The folder in which recordings are kept because the person wants it; empty: none is kept."""


class State(Wire):
    """Everything a surface needs to draw itself; sent first, and again after a reconnect."""

    type: Literal["state"] = "state"
    protocol: int = PROTOCOL
    about: About
    speech: Speech = Speech()
    keeping: Keeping = Keeping()
    turns: list[Turn] = []
    tasks: list[Task] = []
    approvals: list[Approval] = []
    widgets: list[Widget] = []
    """The live ones: those whose actions are heard, newest last."""


class AboutChanged(Wire):
    """Something of the configuration is another now: the model that was chosen."""

    type: Literal["about"] = "about"
    about: About


class Part(Wire):
    """Answer to `ReadPart`."""

    type: Literal["part"] = "part"
    id: int
    source: str = ""
    """JavaScript: a module whose default export makes the part out of what the panel shares with it."""
    problem: Problem | None = None


class Done(Wire):
    """Answer to what only has to be done."""

    type: Literal["done"] = "done"
    id: int
    problem: Problem | None = None


class Notice(Wire):
    """Something a person should know that belongs to no turn."""

    type: Literal["notice"] = "notice"
    level: Literal["info", "warning", "error"] = "info"
    message: str
    hint: str = ""


class ControlSpoken(Wire):
    """A control that the surface itself must carry out."""

    type: Literal["control"] = "control"
    control: Literal["stop_listening", "stop_speaking"]


class Hello(Wire):
    """First message of a surface, and the first after a reconnect: answered with `State`."""

    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL
    surface_id: str
    """Made by the surface, kept over a reconnect."""
    kind: Literal["widget", "card", "sidebar", "client", "headless"]
    cells: bool = False
    """Whether it shows the notebook and answers `CellRequest`s."""
    approve: list[str] = []
    """Tools that a `client` or a `headless` front end approves beforehand (`--approve TOOL`); ignored from
    the others."""
    asks: bool = False
    """Whether a person sits at a `client` who sees approvals and answers them; ignored from the others."""
    client_tools: bool = False
    """Whether it carries out `Task.client_call`s of its own turns, and answers them with `ClientAnswer`."""
    scripted: bool = False
    """Whether what it says was written down before: then no control counts; only a person makes them."""


class ReadPart(Wire):
    """Read a piece of the panel that is loaded when it is first needed. Answered with `Part`."""

    type: Literal["read_part"] = "read_part"
    id: int
    name: str = Field(pattern=r"^[a-z]+$", max_length=40)


class Interrupt(Wire):
    """Interrupt user code that runs in the kernel."""

    type: Literal["interrupt"] = "interrupt"
