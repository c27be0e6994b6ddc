"""The wire schema between a session and its surfaces, and the values both sides share.

A surface (panel, inline card, sidebar, another process) sends `ToKernel` messages and receives
`ToSurface` messages, as JSON with audio beside it in binary buffers, never inside the JSON.
Entities (turn, task, approval, speech) are always sent whole: the newest version wins, so a surface
that connects late needs only `State`. The deltas change an entity that was sent before: `TaskOutput` and
`AnswerDelta` append to one, `TaskProgress` and `QueueChanged` replace a small part.

TypeScript types are generated from this module: run `make generate` after a change.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter

PROTOCOL = 1
"""Raised when an older surface can no longer talk to this kernel."""

TaskState = Literal[
    "queued", "awaiting_approval", "running", "succeeded", "failed", "cancelled", "interrupted"
]
TurnState = Literal["listening", "understanding", "running", "succeeded", "failed", "cancelled", "nothing"]
"""`nothing`: the turn ended and nothing was to be done (no speech, or talk that is no command)."""
Route = Literal["intents", "fuzzy", "model", "none"]
Origin = Literal["voice", "text", "magic", "script", "model", "retry"]
"""Who asked: a person's voice or text, a cell's magic, a script or replay, a model, a retry click."""
Verbosity = Literal["off", "errors", "short", "full"]
"""How much of an answer is spoken aloud."""
ListenMode = Literal["push", "toggle", "handsfree"]
"""How the microphone is used: while a key is held, from click to click, or open all the time."""
VoiceEngine = Literal["auto", "local", "browser", "openai"]
"""Whose voice speaks; `auto`: a voice of the browser that needs no network, else the local one."""


class Wire(BaseModel):
    """Base of everything on the wire: frozen, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        # Else `type` and every other field with a default turn optional in the generated TypeScript.
        json_schema_serialization_defaults_required=True,
        defer_build=True,  # a session that says "help" needs few of them, and its first cell waits for all
    )


# ---- values ---------------------------------------------------------------------------------------


class Problem(Wire):
    """An error as data: what happened and what to do next."""

    kind: str
    """The error's class name, e.g. `Refused`, or the exception name of user code."""
    message: str
    hint: str = ""
    retryable: bool = False


class Output(Wire):
    """One piece of output, in the words of the Jupyter messaging protocol."""

    kind: Literal["stream", "display", "result", "error"]
    text: str = ""
    """Plain text with ANSI colours: the stream's text, or the traceback of an error."""
    data: dict[str, str] = {}
    """Mime bundle of a display or a result; images as base64 text. At most 2 MB in all."""


class TestCase(Wire):
    """One test's outcome."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    id: str
    """pytest node id."""
    outcome: Literal["passed", "failed", "skipped", "error", "xfailed", "xpassed"]
    duration_s: float = 0.0
    file: str = ""
    line: int = 0
    """From 1; 0 when unknown."""
    message: str = ""
    """The assertion or error, first 500 characters."""
    detail: str = ""
    """The failure's report, last 4,000 characters."""


class TestReport(Wire):
    """What a test run amounts to; failures first, then up to 200 others."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    duration_s: float = 0.0
    cases: list[TestCase] = []


class Widget(Wire):
    """A ChatKit widget: plain data, drawn by a page, whose actions come back as `WidgetAction`."""

    id: str
    """Of this widget in its session."""
    task_id: int = 0
    """The task that shows it; 0 where a cell does."""
    root: dict[str, Any]
    """ChatKit's JSON, its field names included; at most 256 kB."""
    copy_text: str = ""
    """What is copied, and read where it cannot be drawn."""


class Result(Wire):
    """What a task gave back."""

    summary: str = ""
    """One line for a person (and later for speech): no code, no ids."""
    text: str = ""
    """Plain text body, at most 16 KB."""
    code: str = ""
    """The code that was run, when the tool ran or proposes code."""
    outputs: list[Output] = []
    tests: TestReport | None = None
    exit_code: int | None = None
    """Exit status of a command; None when there was no process."""
    data: dict[str, Any] = {}
    """JSON result for programs and models, at most 64 KB."""
    widgets: list[Widget] = []
    """As they stood when the task ended; at most 8."""


class Progress(Wire):
    """How far a running task is."""

    fraction: float | None = Field(default=None, ge=0, le=1)
    label: str = ""
    done: float | None = None
    """Steps done, where the work counts them: `12` of 40 tests."""
    total: float | None = None
    unit: str = ""
    """What is counted, e.g. `tests`, `MB`."""


class Call(Wire):
    """One tool call of a plan, as the parser or the model made it."""

    tool: str
    arguments: dict[str, Any] = {}


class Task(Wire):
    """One action: a tool call that was let through the door, or waits before it."""

    id: int
    """The number a person says: from 1, never reused in a session."""
    turn_id: int
    tool: str
    arguments: dict[str, Any] = {}
    area: str = ""
    """The tool's area: `shell`, `tests`, `notebook` ... Limits and queues are per area."""
    title: str
    """Short text for the card, e.g. `run_tests tests/unit`."""
    state: TaskState = "queued"
    origin: Origin = "text"
    created_at: float
    """Seconds since the epoch, as are all times."""
    started_at: float | None = None
    ended_at: float | None = None
    queue_position: int | None = None
    """While it is queued behind others of its area: its place, from 1."""
    deadline_at: float | None = None
    """When it is ended whatever it does."""
    earlier: bool = False
    """Whether an earlier kernel ran it: it can be retried, but not cancelled."""
    progress: Progress | None = None
    tail: str = ""
    """The newest output, at most 300 lines and 8 KB, with ANSI colours."""
    output_bytes: int = 0
    """Bytes of output so far, shown or not."""
    log_path: str = ""
    """Where the full log is; empty while there is none."""
    log_cut_bytes: int = 0
    """Bytes that did not fit below the log's cap."""
    result: Result | None = None
    problem: Problem | None = None
    approval_id: int | None = None


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


class Diff(Wire):
    """A change of one cell as it would be made."""

    name: str
    """The cell in a person's words: `cell 3`."""
    action: Literal["edit", "insert", "delete"] = "edit"
    kind: Literal["code", "markdown", "raw"] = "code"
    before: str = ""
    after: str = ""
    runs: bool = False
    """Whether the cell is run once it is changed."""
    cell: str = ""
    """Id of the cell; empty for one that is not there yet."""


class FormField(Wire):
    """A field of a form that somebody else's program asks a person to fill in."""

    name: str
    title: str = ""
    description: str = ""
    kind: Literal["text", "number", "integer", "boolean", "choice", "choices"] = "text"
    required: bool = False
    choices: list[str] = []
    labels: list[str] = []
    """Words for the choices, one each."""
    default: str | float | bool | list[str] | None = None


class Approval(Wire):
    """A card that waits for a person."""

    id: int
    """The number a person says when two cards are open."""
    task_id: int
    tool: str
    arguments: dict[str, Any] = {}
    target: str
    """What will be touched: the command, the package, the host."""
    reason: str
    """Why it asks, in one or two sentences."""
    diff: Diff | None = None
    """What would be changed, where that is the text of a cell."""
    state: Literal["open", "approved", "denied", "expired"] = "open"
    created_at: float
    shown_at: float | None = None
    """When a surface first said the card was on the screen; speech from before does not count."""
    fields: list[FormField] = []
    """A form to fill in: approving hands the values over. Empty for a plain yes or no."""


class Thread(Wire):
    """A conversation: turns in order, kept over restarts."""

    id: str
    title: str = ""
    """Given by a person, else the first utterance."""
    workspace: str = ""
    """The notebook it belongs to, or the folder where there is none."""
    created_at: float
    updated_at: float
    turns: int = 0
    """How many it has."""


class PastTask(Wire):
    """A task of the history, of this kernel or an earlier one."""

    id: int
    """Its number in the history, which no other task has; `task.id` is unique in its session only."""
    task: Task
    utterance: str = ""
    """The text of its turn."""
    session_id: str = ""
    thread_id: str = ""
    thread_title: str = ""


class Keeping(Wire):
    """What of this session outlives it."""

    state: Literal["kept", "memory"] = "memory"
    """`memory`: nothing is being written; what was written before is safe."""
    message: str = ""
    """Why it is not being kept, in one sentence."""
    hint: str = ""
    thread: Thread | None = None
    """The conversation that is open."""


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


class Question(Wire):
    """A value that a server needs before it can start."""

    name: str
    description: str = ""
    secret: bool = False
    """Typed into a field of its own, kept apart, and never shown again."""
    required: bool = True
    default: str = ""


class McpTool(Wire):
    """A tool of an MCP server."""

    name: str
    description: str = ""
    arguments: list[str] = []
    """By name; in brackets those that may be left out."""
    on: bool = True
    hint: Literal["reads", "destroys", ""] = ""
    """What its server says of it."""


class McpEntry(Wire):
    """A prompt or a resource of an MCP server."""

    name: str
    """A resource's is its address."""
    title: str = ""
    description: str = ""
    arguments: list[str] = []


class McpServer(Wire):
    """An MCP server as a dashboard shows it; never a secret."""

    name: str
    state: Literal["stopped", "starting", "running", "failed", "waiting", "asleep"] = "stopped"
    """`waiting`: to be started again; `asleep`: the next call wakes it."""
    problem: str = ""
    """Its last error."""
    what: str = ""
    """Its command line or address."""
    transport: Literal["stdio", "http", "sse"] = "stdio"
    version: str = ""
    registry_name: str = ""
    autostart: bool = False
    """Whether it starts with every session."""
    pid: int | None = None
    started_at: float | None = None
    tools: int = 0
    tools_off: int = 0
    calls: int = 0
    errors: int = 0
    log_lines: int = 0
    """So far: it has changed when this has."""
    secrets: list[str] = []
    """Their names."""
    missing: list[str] = []
    """Those that have no value yet."""
    sign_in: str = ""
    """The page where a person signs in, while the server waits for that."""


class McpOffer(Wire):
    """A server of the registry, and what installing it would mean."""

    name: str
    """In the registry, e.g. `io.github.ada/time`."""
    short: str
    """As it would be called here."""
    publisher: str = ""
    version: str = ""
    description: str = ""
    repository: str = ""
    runs: str = ""
    """Everything that would run or be reached, a line each."""
    questions: list[Question] = []
    missing: str = ""
    """The program that would have to be installed first."""
    hint: str = ""
    installed: bool = False


# ---- kernel to surface ----------------------------------------------------------------------------


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


class TurnChanged(Wire):
    type: Literal["turn"] = "turn"
    turn: Turn


class TaskChanged(Wire):
    type: Literal["task"] = "task"
    task: Task


class TaskOutput(Wire):
    """More output of a running task, coalesced to at most 10 a second and 8 KB each."""

    type: Literal["task_output"] = "task_output"
    task_id: int
    text: str
    output_bytes: int
    """Total so far, this piece included."""
    skipped_bytes: int = 0
    """Bytes between the last piece and this one that are only in the log."""


class TaskProgress(Wire):
    """How far a running task is now; at most 10 a second."""

    type: Literal["task_progress"] = "task_progress"
    task_id: int
    progress: Progress | None


class QueueChanged(Wire):
    """The order in which tasks wait, as it is now; at most 4 a second."""

    type: Literal["queue"] = "queue"
    lane: str
    """Which queue: an area, or `cells` for whatever changes the notebook or its variables."""
    tasks: list[int] = []
    """Those that wait, the next one first: `queue_position` is the place in this list, from 1."""


class AnswerDelta(Wire):
    """More of a model's answer."""

    type: Literal["answer_delta"] = "answer_delta"
    turn_id: int
    text: str


class ApprovalChanged(Wire):
    type: Literal["approval"] = "approval"
    approval: Approval


class WidgetChanged(Wire):
    """A widget is shown for the first time, or as another than before."""

    type: Literal["widget"] = "widget"
    widget: Widget


class WidgetUpdated(Wire):
    """A part of a widget is another now; ChatKit's own words.

    `widget.root.updated` {widget}, `widget.component.updated` {component_id, component},
    `widget.streaming_text.value_delta` {component_id, delta, done}.
    """

    type: Literal["widget_update"] = "widget_update"
    widget_id: str
    update: dict[str, Any]


class SpeechChanged(Wire):
    type: Literal["speech"] = "speech"
    speech: Speech


class KeepingChanged(Wire):
    type: Literal["keeping"] = "keeping"
    keeping: Keeping


class AboutChanged(Wire):
    """Something of the configuration is another now: the model that was chosen."""

    type: Literal["about"] = "about"
    about: About


class Threads(Wire):
    """Answer to `ListThreads`: the conversations, those used last first."""

    type: Literal["threads"] = "threads"
    id: int
    threads: list[Thread] = []
    more: bool = False
    problem: Problem | None = None


class PastTasks(Wire):
    """Answer to `FindTasks`: the newest first."""

    type: Literal["past_tasks"] = "past_tasks"
    id: int
    tasks: list[PastTask] = []
    """Without their outputs: those are read from the log."""
    more: bool = False
    problem: Problem | None = None


class LogPage(Wire):
    """Answer to `ReadLog`."""

    type: Literal["log_page"] = "log_page"
    id: int
    first_line: int = 0
    """Position of the first of `lines`, from 0."""
    lines: list[str] = []
    """With ANSI colours; each at most 4,000 characters, together at most 200 KB."""
    total_lines: int = 0
    """So far; a running task's log grows."""
    total_bytes: int = 0
    complete: bool = True
    """Whether the log has got its last line."""
    problem: Problem | None = None


class LogHit(Wire):
    """A line of a log that holds what was searched."""

    line: int
    """From 0."""
    text: str
    """At most 300 characters around the first place."""


class LogHits(Wire):
    """Answer to `SearchLog`."""

    type: Literal["log_hits"] = "log_hits"
    id: int
    hits: list[LogHit] = []
    next_line: int | None = None
    """Where to go on searching; None when the end was reached."""
    problem: Problem | None = None


class Part(Wire):
    """Answer to `ReadPart`."""

    type: Literal["part"] = "part"
    id: int
    source: str = ""
    """JavaScript: a module whose default export makes the part out of what the panel shares with it."""
    problem: Problem | None = None


class ServersChanged(Wire):
    """The MCP servers as they are now, for those who watch them."""

    type: Literal["servers"] = "servers"
    servers: list[McpServer] = []
    registry: str = ""
    """Where servers are searched."""
    secrets_place: str = ""
    """Where secrets are kept, for a person."""
    configs: list[str] = []
    """Configurations of other clients that are on this machine."""
    problem: Problem | None = None


class ServerDetails(Wire):
    """Answer to `ReadServer`."""

    type: Literal["server_details"] = "server_details"
    id: int
    tools: list[McpTool] = []
    prompts: list[McpEntry] = []
    resources: list[McpEntry] = []
    problem: Problem | None = None


class Offers(Wire):
    """Answer to `SearchRegistry`."""

    type: Literal["offers"] = "offers"
    id: int
    offers: list[McpOffer] = []
    problem: Problem | None = None


class Done(Wire):
    """Answer to what only has to be done."""

    type: Literal["done"] = "done"
    id: int
    problem: Problem | None = None


class SpeechEngines(Wire):
    """Answer to `ListEngines`."""

    type: Literal["speech_engines"] = "speech_engines"
    id: int
    engines: list[SpeechEngine] = []
    chosen: str = ""
    locked: bool = False
    """Whether the administrator has chosen."""
    problem: Problem | None = None


class Notice(Wire):
    """Something a person should know that belongs to no turn."""

    type: Literal["notice"] = "notice"
    level: Literal["info", "warning", "error"] = "info"
    message: str
    hint: str = ""


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


class ControlSpoken(Wire):
    """A control that the surface itself must carry out."""

    type: Literal["control"] = "control"
    control: Literal["stop_listening", "stop_speaking"]


# ---- cells: requests to the front end that shows the notebook -------------------------------------


class CellView(Wire):
    """One cell as the front end has it; positions are those of the list it stands in."""

    id: str
    """nbformat cell id; what every request addresses cells by."""
    kind: Literal["code", "markdown", "raw"]
    source: str = ""
    """Left out (empty) in an outline."""
    execution_count: int | None = None
    failed: bool = False
    """Whether its outputs hold an error."""
    outputs: list[Output] = []
    """Left out in an outline; capped like a task's outputs."""


class Cursor(Wire):
    """A place in a cell's text."""

    line: int = Field(ge=1)
    """From 1."""
    column: int = Field(ge=0)
    """Characters (code points) before it in its line."""


class NotebookView(Wire):
    """The notebook as a front end has it."""

    path: str
    cells: list[CellView]
    active: int
    """Position of the active cell, from 0; -1 when there is none."""
    cursor: Cursor | None = None
    """Where the person's cursor is in the active cell; None unless they have put it there."""
    calling: str = ""
    """Id of the cell whose `%voice` waits now; empty otherwise."""
    shared: bool = False
    """Whether other pages see every change of its cells at once, outputs included (collaboration)."""


class ReadNotebook(Wire):
    """Answered with a `NotebookView`."""

    action: Literal["read"] = "read"
    sources: bool = False
    outputs: bool = False
    cells: list[str] = []
    """Ids whose sources and outputs are wanted; empty for all."""


class RunCells(Wire):
    """Run cells in order, stopping at the first that raises; answered with their views, outputs included."""

    action: Literal["run"] = "run"
    cells: list[str]


class ShowOutputs(Wire):
    """Show what a cell put out while the kernel ran it nested under `%voice`: live, then final."""

    action: Literal["outputs"] = "outputs"
    cell: str
    parent_msg_id: str
    """iopub messages with this parent belong to the cell until `done`."""
    execution_count: int | None = None
    done: bool = False
    outputs: list[Output] = []
    """For a page that came while the cell ran: what it has put out so far or, with `done`, all of it; left
    out where that is too much."""


class InsertCells(Wire):
    """Insert cells before `index` (from 0; the number of cells appends); answered with their views."""

    action: Literal["insert"] = "insert"
    index: int
    kinds: list[Literal["code", "markdown", "raw"]]
    sources: list[str]


class EditCell(Wire):
    """Replace a cell's source, keeping id, metadata and attachments."""

    action: Literal["edit"] = "edit"
    cell: str
    source: str
    expected: str | None = None
    """Refuse (`Conflict`) unless this is the source now; None edits whatever is there."""
    cursor: Cursor | None = None
    """Where the person's cursor is to be afterwards; None leaves it to the front end."""


class DeleteCells(Wire):
    action: Literal["delete"] = "delete"
    cells: list[str]


class MoveCells(Wire):
    """Move cells, as a block in their order, so that the first stands at `index` afterwards."""

    action: Literal["move"] = "move"
    cells: list[str]
    index: int


class ChangeKind(Wire):
    action: Literal["kind"] = "kind"
    cells: list[str]
    kind: Literal["code", "markdown", "raw"]


class ClearOutputs(Wire):
    action: Literal["clear"] = "clear"
    cells: list[str]


class SelectCell(Wire):
    """Make a cell the active one and scroll it into view."""

    action: Literal["select"] = "select"
    cell: str
    line: int | None = None
    """Put the cursor at the end of this line, from 1, and start editing."""


class UndoStep(Wire):
    """Take back, or do again, the last step of this session; answered with how many cells changed."""

    action: Literal["undo", "redo"]


class SaveNotebook(Wire):
    action: Literal["save"] = "save"


class RestartKernel(Wire):
    """Restart the kernel; answered before it goes, since nothing of the session is left afterwards."""

    action: Literal["restart"] = "restart"
    run_all: bool = False


class RunCommand(Wire):
    """Run a command of the front end by the label a person sees; answered with the label it found."""

    action: Literal["command"] = "command"
    label: str


class OpenFile(Wire):
    """Show a file in the front end's editor; answered once it is open."""

    action: Literal["open"] = "open"
    path: str
    """Relative to the notebook's folder, with `/`."""
    line: int = 1
    """Where the cursor goes, from 1."""


class Snapshot(Wire):
    """Keep the notebook as it is now, to be restored; answered with the snapshot's path."""

    action: Literal["snapshot"] = "snapshot"


CellAction = Annotated[
    ReadNotebook
    | RunCells
    | ShowOutputs
    | InsertCells
    | EditCell
    | DeleteCells
    | MoveCells
    | ChangeKind
    | ClearOutputs
    | SelectCell
    | UndoStep
    | SaveNotebook
    | RestartKernel
    | RunCommand
    | OpenFile
    | Snapshot,
    Field(discriminator="action"),
]


class CellRequest(Wire):
    """Ask the one front end that shows the notebook to do something; it answers with `CellReply`."""

    type: Literal["cell_request"] = "cell_request"
    id: int
    step: int = 0
    """Requests of one voice action share a step: undo takes all of them back at once. 0 is no step."""
    request: CellAction


class CellCancel(Wire):
    """Give a `CellRequest` up, unanswered.

    Cells it still waits to run are not run, and the one that runs is interrupted.
    """

    type: Literal["cell_cancel"] = "cell_cancel"
    id: int


ToSurface = Annotated[
    State
    | TurnChanged
    | TaskChanged
    | TaskOutput
    | TaskProgress
    | QueueChanged
    | AnswerDelta
    | ApprovalChanged
    | WidgetChanged
    | WidgetUpdated
    | SpeechChanged
    | SpeechEngines
    | Notice
    | SpeakAnswer
    | StopSpeaking
    | HoldSpeaking
    | SpeakChanged
    | ControlSpoken
    | KeepingChanged
    | AboutChanged
    | Threads
    | PastTasks
    | LogPage
    | LogHits
    | ServersChanged
    | ServerDetails
    | Offers
    | Done
    | Part
    | CellRequest
    | CellCancel,
    Field(discriminator="type"),
]


# ---- surface to kernel ----------------------------------------------------------------------------


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
    scripted: bool = False
    """Whether what it says was written down before: then no control counts; only a person makes them."""


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


class AudioEnd(Wire):
    """The key was released (`discard` false), or the recording was thrown away."""

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


class Say(Wire):
    """Text typed, or a transcript that was edited and is to be run again."""

    type: Literal["say"] = "say"
    text: str = Field(max_length=10_000)
    corrects_turn_id: int | None = None
    request: str = Field(default="", max_length=64)
    """What the surface calls it: the turn that it becomes has it too."""


class CancelTask(Wire):
    type: Literal["cancel_task"] = "cancel_task"
    task_id: int


class CancelTurn(Wire):
    type: Literal["cancel_turn"] = "cancel_turn"
    turn_id: int


class RetryTask(Wire):
    type: Literal["retry_task"] = "retry_task"
    task_id: int
    request: str = Field(default="", max_length=64)
    """As in `Say`."""


class MoveTask(Wire):
    """Change the place of a queued task in its queue."""

    type: Literal["move_task"] = "move_task"
    task_id: int
    to: Literal["first", "up", "down", "last"]


class Do(Wire):
    """Carry out calls as one turn: a task run again with changes, a step of a replay.

    They go through the same door as any other: validated, and asking where policy wants it.
    """

    type: Literal["do"] = "do"
    text: str = Field(default="", max_length=10_000)
    calls: list[Call] = Field(min_length=1, max_length=50)
    request: str = Field(default="", max_length=64)
    """As in `Say`."""


class ListThreads(Wire):
    type: Literal["list_threads"] = "list_threads"
    id: int
    query: str = Field(default="", max_length=200)
    everywhere: bool = False
    """Those of every notebook and folder, not only of this one."""
    before: float | None = None
    """Only those last used before this time: the next page."""
    limit: int = Field(default=50, ge=1, le=200)


class NewThread(Wire):
    type: Literal["new_thread"] = "new_thread"


class OpenThread(Wire):
    """Go on with a conversation: surfaces get a new `State`, the tasks that run go on."""

    type: Literal["open_thread"] = "open_thread"
    thread_id: str


class RenameThread(Wire):
    type: Literal["rename_thread"] = "rename_thread"
    thread_id: str
    title: str = Field(min_length=1, max_length=200)


class DeleteThread(Wire):
    """Delete a conversation with its tasks and logs. Final; the front end has asked."""

    type: Literal["delete_thread"] = "delete_thread"
    thread_id: str


class FindTasks(Wire):
    """Search the history. Answered with `PastTasks`."""

    type: Literal["find_tasks"] = "find_tasks"
    id: int
    query: str = Field(default="", max_length=200)
    """Words that the utterance, the title, the summary or the problem must all hold (as prefixes)."""
    states: list[TaskState] = []
    areas: list[str] = []
    everywhere: bool = True
    """Of every notebook and folder, not only of this one."""
    before: int | None = None
    """Only tasks whose number in the history is below this one: the next page."""
    limit: int = Field(default=50, ge=1, le=200)


class ReadLog(Wire):
    """Read lines of a task's full log. Answered with `LogPage`."""

    type: Literal["read_log"] = "read_log"
    id: int
    task_id: int | None = None
    past_id: int | None = None
    """The number in the history, for a task of another session."""
    server: str = ""
    """The name of an MCP server, for its log; one of the three is given."""
    first_line: int = 0
    """From 0; negative counts from the end."""
    lines: int = Field(default=500, ge=1, le=5_000)


class SearchLog(Wire):
    """Find text in a task's full log. Answered with `LogHits`."""

    type: Literal["search_log"] = "search_log"
    id: int
    task_id: int | None = None
    past_id: int | None = None
    server: str = ""
    query: str = Field(min_length=1, max_length=200)
    """Plain text; upper and lower case are alike."""
    from_line: int = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=1, le=1_000)


class WatchServers(Wire):
    """Be told of the MCP servers, now and whenever something of them changes, or no longer."""

    type: Literal["watch_servers"] = "watch_servers"
    on: bool = True


class ReadServer(Wire):
    """Read what an MCP server offers. Answered with `ServerDetails`."""

    type: Literal["read_server"] = "read_server"
    id: int
    server: str = Field(max_length=60)


class SearchRegistry(Wire):
    """Search the registry of MCP servers. Answered with `Offers`."""

    type: Literal["search_registry"] = "search_registry"
    id: int
    query: str = Field(max_length=200)


class KeepSecret(Wire):
    """Keep a secret of an MCP server, or forget it where the value is empty. Answered with `Done`.

    The only message that carries one, and only this way; nothing of it is logged or kept elsewhere.
    """

    type: Literal["keep_secret"] = "keep_secret"
    id: int
    server: str = Field(max_length=60)
    name: str = Field(min_length=1, max_length=200)
    value: SecretStr = Field(max_length=20_000)


class FinishSignIn(Wire):
    """Hand over the address that a sign-in led to, where the browser is on another machine than the kernel.

    Answered with `Done`.
    """

    type: Literal["finish_sign_in"] = "finish_sign_in"
    id: int
    server: str = Field(max_length=60)
    address: SecretStr = Field(max_length=8_000)
    """It holds a code that is good for once."""


class ReadPart(Wire):
    """Read a piece of the panel that is loaded when it is first needed. Answered with `Part`."""

    type: Literal["read_part"] = "read_part"
    id: int
    name: str = Field(pattern=r"^[a-z]+$", max_length=40)


class ApprovalShown(Wire):
    """The card is on the screen: from now on a spoken yes can count."""

    type: Literal["approval_shown"] = "approval_shown"
    approval_id: int


class Attach(Wire):
    """A file that was dropped or pasted, for questions to refer to by `@name`; in the first binary buffer.

    Kept in memory until the session ends, and given to nobody before a question names it.
    """

    type: Literal["attach"] = "attach"
    name: str = Field(min_length=1, max_length=200)
    size: int = Field(ge=0, le=8_000_000)
    """Bytes, so that a file that did not arrive whole is noticed."""


class Decide(Wire):
    """A click on Approve or Deny."""

    type: Literal["decide"] = "decide"
    approval_id: int
    approved: bool
    values: dict[str, Any] = {}
    """What was filled in, by the names of the card's fields."""


class ActionConfig(Wire):
    """What a component of a widget asks for; ChatKit's own fields."""

    type: str = Field(min_length=1, max_length=200)
    payload: Any = None
    handler: Literal["server", "client"] = "server"
    loadingBehavior: Literal["auto", "none", "self", "container"] = "auto"  # noqa: N815  ChatKit's name
    streaming: bool = True


class WidgetAction(Wire):
    """A click in a widget, or a form that was sent off. Answered with `Done` once it is carried out."""

    type: Literal["widget_action"] = "widget_action"
    id: int
    widget_id: str = Field(max_length=100)
    item_id: str = Field(default="", max_length=200)
    """The component that was clicked: its `id` or `key`; empty where it has none."""
    action: ActionConfig
    values: dict[str, Any] = {}
    """Of the form around it, by the names of its fields."""
    surface_id: str = Field(default="", max_length=100)
    request: str = Field(default="", max_length=64)
    """As in `Say`."""


class AnswerQuestion(Wire):
    """A click on Yes or No of a turn that asks."""

    type: Literal["answer_question"] = "answer_question"
    turn_id: int
    yes: bool


class Interrupt(Wire):
    """Interrupt user code that runs in the kernel."""

    type: Literal["interrupt"] = "interrupt"


class WarmUp(Wire):
    """The panel is open: load the recogniser now."""

    type: Literal["warm_up"] = "warm_up"


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


class CellReply(Wire):
    """The front end's answer to a `CellRequest`: one of the three, or none where nothing is to be said."""

    type: Literal["cell_reply"] = "cell_reply"
    id: int
    problem: Problem | None = None
    """Why it could not be done: kinds `NoSuchCell`, `Conflict`, `NoNotebook`, `UnknownCommand`, ..."""
    notebook: NotebookView | None = None
    cells: list[CellView] = []
    """The cells concerned, in the order of the notebook, with their outputs where cells were run."""
    text: str = ""
    """What else there is to say: a label, a path, a count."""


ToKernel = Annotated[
    Hello
    | AudioStart
    | Audio
    | AudioEnd
    | Heard
    | HearAgain
    | ListEngines
    | ChooseEngine
    | Say
    | CancelTask
    | CancelTurn
    | RetryTask
    | MoveTask
    | Do
    | ListThreads
    | NewThread
    | OpenThread
    | RenameThread
    | DeleteThread
    | FindTasks
    | ReadLog
    | SearchLog
    | WatchServers
    | ReadServer
    | SearchRegistry
    | KeepSecret
    | FinishSignIn
    | ReadPart
    | ApprovalShown
    | Attach
    | Decide
    | WidgetAction
    | AnswerQuestion
    | Interrupt
    | WarmUp
    | SpeakChoice
    | SpeakingState
    | CellReply,
    Field(discriminator="type"),
]

LATER = ConfigDict(defer_build=True)
to_kernel: TypeAdapter[ToKernel] = TypeAdapter(ToKernel, config=LATER)
to_surface: TypeAdapter[ToSurface] = TypeAdapter(ToSurface, config=LATER)
