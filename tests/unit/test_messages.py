"""The wire schema: every message there is, there and back."""

from __future__ import annotations

import inspect
import json
import pkgutil
import typing
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from voice_kernel import messages
from voice_kernel.messages import (
    About,
    AboutChanged,
    ActionConfig,
    AnswerDelta,
    AnswerQuestion,
    Approval,
    ApprovalChanged,
    ApprovalShown,
    Attach,
    Audio,
    AudioEnd,
    AudioReleased,
    AudioStart,
    Call,
    CancelTask,
    CancelTurn,
    CellCancel,
    CellReply,
    CellRequest,
    CellView,
    ChangeKind,
    ChooseEngine,
    ClearOutputs,
    ClientAnswer,
    ClientCall,
    ControlSpoken,
    Cursor,
    Decide,
    DeleteCells,
    DeleteThread,
    Diff,
    Do,
    Done,
    EditCell,
    FindTasks,
    FinishSignIn,
    FormField,
    HearAgain,
    Heard,
    Hello,
    HoldSpeaking,
    InsertCells,
    Interrupt,
    Keeping,
    KeepingChanged,
    KeepSecret,
    ListEngines,
    ListThreads,
    LogHit,
    LogHits,
    LogPage,
    McpEntry,
    McpOffer,
    McpServer,
    McpTool,
    MoveCells,
    MoveTask,
    NewThread,
    NotebookView,
    Notice,
    Offers,
    OpenFile,
    OpenThread,
    Output,
    Part,
    PastTask,
    PastTasks,
    Problem,
    Progress,
    Question,
    QueueChanged,
    ReadLog,
    ReadNotebook,
    ReadPart,
    ReadServer,
    RenameThread,
    RestartKernel,
    Result,
    RetryTask,
    RunCells,
    RunCommand,
    SaveNotebook,
    Say,
    SearchLog,
    SearchRegistry,
    SelectCell,
    ServerDetails,
    ServersChanged,
    ShowOutputs,
    Snapshot,
    SpeakAnswer,
    SpeakChanged,
    SpeakChoice,
    SpeakingState,
    Speech,
    SpeechChanged,
    SpeechEngine,
    SpeechEngines,
    State,
    StopSpeaking,
    Task,
    TaskChanged,
    TaskOutput,
    TaskProgress,
    TestCase,
    TestReport,
    Thread,
    Threads,
    ToKernel,
    ToSurface,
    Turn,
    TurnChanged,
    UndoStep,
    Usage,
    WarmUp,
    WatchServers,
    Widget,
    WidgetAction,
    WidgetChanged,
    WidgetUpdated,
    Wire,
)

PROBLEM = Problem(kind="Refused", message="No.", hint="Ask “again”.", retryable=True)
CASE = TestCase(
    id="test_a.py::test_x[é]",
    outcome="failed",
    duration_s=0.5,
    file="test_a.py",
    line=7,
    message="1 != 2",
    detail="E 1 != 2",
)
REPORT = TestReport(passed=1, failed=2, errors=3, skipped=4, duration_s=5.5, cases=[CASE])
OUTPUT = Output(kind="display", text="\x1b[31mred\x1b[0m", data={"image/png": "aGVsbG8="})
WIDGET = Widget(id="w1", task_id=3, root={"type": "Card", "children": []}, copy_text="é")
ACTION = ActionConfig(
    type="open", payload={"a": [1]}, handler="client", loadingBehavior="self", streaming=False
)
RESULT = Result(
    summary="Done.",
    text="body",
    code="x = 1",
    outputs=[OUTPUT],
    tests=REPORT,
    exit_code=2,
    data={"rows": [1, None, {"a": "b"}]},
    widgets=[WIDGET],
)
PROGRESS = Progress(fraction=0.5, label="half", done=20, total=40, unit="tests")
CALL = Call(tool="run_code", arguments={"code": "1", "n": [1, 2]})
CLIENT_CALL = ClientCall(id="call_1", name="save_fact", arguments={"fact": "x"})
TASK = Task(
    client_call=CLIENT_CALL,
    id=3,
    turn_id=2,
    tool="run_code",
    arguments={"code": "1"},
    area="data",
    title="run_code 1",
    state="failed",
    origin="model",
    created_at=1.5,
    started_at=2.5,
    ended_at=3.5,
    queue_position=2,
    deadline_at=9.5,
    earlier=True,
    progress=PROGRESS,
    tail="…\n",
    output_bytes=4,
    log_path="logs/3",
    log_cut_bytes=9,
    result=RESULT,
    problem=PROBLEM,
    approval_id=1,
)
USAGE = Usage(requests=1, input_tokens=2, cached_tokens=3, output_tokens=4, price_usd=0.5)
DIFF = Diff(name="cell 3", action="insert", kind="raw", before="a", after="b", runs=True, cell="a1")
TURN = Turn(
    id=2,
    parent_id=1,
    state="failed",
    origin="voice",
    surface_id="s1",
    request="r",
    text="run it",
    partial=True,
    route="fuzzy",
    calls=[CALL],
    closest=["run cell"],
    answer="No.",
    problem=PROBLEM,
    created_at=1.5,
    ended_at=2.5,
    audio_s=1.25,
    latency_s=0.25,
    engine="openai",
    kept_audio=True,
    settled=1,
    asks="Did you mean “run it”?",
    model="m at h",
    usage=USAGE,
)
FIELD = FormField(
    name="n",
    title="N",
    description="d",
    kind="choice",
    required=True,
    choices=["a"],
    labels=["A"],
    default="a",
)
APPROVAL = Approval(
    id=1,
    task_id=3,
    tool="run_code",
    arguments={"code": "1"},
    target="1",
    reason="It asks.",
    state="denied",
    created_at=1.5,
    shown_at=1.75,
    fields=[FIELD],
    diff=DIFF,
)
THREAD = Thread(id="5f0c", title="Sales", workspace="work/a.ipynb", created_at=1.5, updated_at=2.5, turns=3)
PAST = PastTask(
    id=7, task=TASK, utterance="run it", session_id="e1", thread_id=THREAD.id, thread_title=THREAD.title
)
KEEPING = Keeping(state="kept", message="The disk is full.", hint="Make room.", thread=THREAD)
HIT = LogHit(line=7, text="error: é")
ENGINE = SpeechEngine(name="openai", sent_to="api.openai.com", problem="No key.", hint="Set it.")
SPEECH = Speech(
    state="unavailable",
    engine="openai",
    message="No weights.",
    hint="Install them.",
    mode="dictation",
    hands_free=True,
    waiting_for="hey jupyter",
    heard="and so on",
    chosen="realtime",
    sent_to="api.openai.com",
    language="de",
    phrases=["df"],
)
CELL = CellView(id="a1", kind="raw", source="x = 1", execution_count=7, failed=True, outputs=[OUTPUT])
CURSOR = Cursor(line=2, column=4)
NOTEBOOK = NotebookView(path="work/a.ipynb", cells=[CELL], active=0, cursor=CURSOR, calling="a1", shared=True)
ACTIONS: list[Wire] = [
    ReadNotebook(sources=True, outputs=True, cells=["a1"]),
    RunCells(cells=["a1"]),
    ShowOutputs(cell="a1", parent_msg_id="m1", execution_count=7, done=True, outputs=[OUTPUT]),
    InsertCells(index=1, kinds=["markdown"], sources=["# é"]),
    EditCell(cell="a1", source="x = 2", expected="x = 1", cursor=CURSOR),
    DeleteCells(cells=["a1"]),
    MoveCells(cells=["a1"], index=0),
    ChangeKind(cells=["a1"], kind="raw"),
    ClearOutputs(cells=["a1"]),
    SelectCell(cell="a1", line=3),
    UndoStep(action="redo"),
    SaveNotebook(),
    RestartKernel(run_all=True),
    RunCommand(label="Toggle line numbers", exact=True),
    OpenFile(path="tests/test_a.py", line=3),
    Snapshot(),
]
ABOUT = About(
    version="1",
    model="m",
    shell_allowed=True,
    cwd="/home/ada",
    notify_after_s=5.0,
    warnings=["old"],
    model_server="h",
    model_stays=True,
    models=["ollama/a"],
    listen="toggle",
    earcons=False,
    wake_phrase="hey jupyter",
    audio_kept_in="/tmp/a",
    language="de",
    speak="short",
    voice="local",
    speech_rate=1.5,
)

QUESTION = Question(name="KEY", description="d", secret=True, required=False, default="x")
MCP_TOOL = McpTool(name="echo", description="d", arguments=["text"], on=False, hint="reads")
MCP_ENTRY = McpEntry(name="memo://one", title="One", description="d", arguments=["a"])
MCP_SERVER = McpServer(
    name="time",
    state="running",
    problem="p",
    what="uvx mcp-server-time",
    transport="http",
    version="1",
    registry_name="io.github.ada/time",
    autostart=True,
    pid=7,
    started_at=1.5,
    tools=2,
    tools_off=1,
    calls=3,
    errors=1,
    log_lines=9,
    secrets=["KEY"],
    missing=["KEY"],
    sign_in="http://127.0.0.1:1/",
)
MCP_OFFER = McpOffer(
    name="io.github.ada/time",
    short="time",
    publisher="io.github.ada",
    version="1",
    description="d",
    repository="https://r",
    runs="runs uvx",
    questions=[QUESTION],
    missing="uvx",
    hint="Install uv.",
    installed=True,
)
SAMPLES: list[Wire] = [
    PROBLEM,
    OUTPUT,
    WIDGET,
    ACTION,
    CASE,
    REPORT,
    RESULT,
    PROGRESS,
    CURSOR,
    CALL,
    TASK,
    TURN,
    FIELD,
    APPROVAL,
    SPEECH,
    ABOUT,
    CELL,
    NOTEBOOK,
    *ACTIONS,
    THREAD,
    PAST,
    KEEPING,
    HIT,
    State(
        about=ABOUT,
        speech=SPEECH,
        keeping=KEEPING,
        turns=[TURN],
        tasks=[TASK],
        approvals=[APPROVAL],
        widgets=[WIDGET],
    ),
    TurnChanged(turn=TURN),
    TaskChanged(task=TASK),
    TaskOutput(task_id=3, text="x", output_bytes=1, skipped_bytes=2),
    TaskProgress(task_id=3, progress=PROGRESS),
    QueueChanged(lane="shell", tasks=[3, 5]),
    AnswerDelta(turn_id=2, text="x"),
    ApprovalChanged(approval=APPROVAL),
    WidgetChanged(widget=WIDGET),
    WidgetUpdated(widget_id="w1", update={"type": "widget.root.updated", "widget": WIDGET.root}),
    SpeechChanged(speech=SPEECH),
    ENGINE,
    SpeechEngines(id=4, engines=[ENGINE], chosen="openai", locked=True, problem=PROBLEM),
    AboutChanged(about=ABOUT),
    DIFF,
    USAGE,
    Notice(level="error", message="m", hint="h"),
    SpeakAnswer(
        id=3, seq=2, turn_id=4, text="Done.", rate=1.5, rate_hz=24000, language="de", by="browser", last=False
    ),
    StopSpeaking(id=3),
    HoldSpeaking(id=3, hold=True),
    SpeakChanged(speak="full", rate=1.5),
    ControlSpoken(control="stop_speaking"),
    KeepingChanged(keeping=KEEPING),
    Threads(id=4, threads=[THREAD], more=True, problem=PROBLEM),
    PastTasks(id=4, tasks=[PAST], more=True, problem=PROBLEM),
    LogPage(id=4, first_line=2, lines=["x"], total_lines=3, total_bytes=9, complete=False, problem=PROBLEM),
    LogHits(id=4, hits=[HIT], next_line=8, problem=PROBLEM),
    CellRequest(id=4, step=2, request=RunCells(cells=["a1"])),
    CellCancel(id=4),
    QUESTION,
    Part(id=4, source="export default () => ({})", problem=PROBLEM),
    ReadPart(id=4, name="servers"),
    MCP_TOOL,
    MCP_ENTRY,
    MCP_SERVER,
    MCP_OFFER,
    ServersChanged(
        servers=[MCP_SERVER], registry="http://r", secrets_place="p", configs=["~/.mcp.json"], problem=PROBLEM
    ),
    ServerDetails(id=4, tools=[MCP_TOOL], prompts=[MCP_ENTRY], resources=[MCP_ENTRY], problem=PROBLEM),
    Offers(id=4, offers=[MCP_OFFER], problem=PROBLEM),
    Done(id=4, problem=PROBLEM),
    WatchServers(on=False),
    ReadServer(id=4, server="time"),
    SearchRegistry(id=4, query="time"),
    FinishSignIn(id=4, server="time", address="**********"),
    KeepSecret(id=4, server="time", name="TOKEN", value="**********"),  # as it is shown: it is kept so
    Hello(
        surface_id="s1",
        kind="client",
        cells=True,
        approve=["run_code"],
        asks=True,
        client_tools=True,
        scripted=True,
    ),
    AudioStart(utterance_id="u", rate_hz=48_000, hands_free=True),
    Heard(utterance_id="u", text="run it", final=True, problem="No words."),
    HearAgain(turn_id=2),
    ListEngines(id=4),
    ChooseEngine(engine="local"),
    AnswerQuestion(turn_id=2, yes=True),
    CLIENT_CALL,
    ClientAnswer(call_id="call_1", result={"number": 7}, problem="There is no list."),
    Audio(utterance_id="u", seq=1),
    AudioReleased(utterance_id="u"),
    AudioEnd(utterance_id="u", chunks=2, discard=True),
    Say(text="run it", corrects_turn_id=2, request="r1", model="qwen3", tool="run_tests"),
    CancelTask(task_id=3),
    CancelTurn(turn_id=2),
    RetryTask(task_id=3, request="r2"),
    MoveTask(task_id=3, to="first"),
    Do(text="run it again with changes", calls=[CALL], request="r3"),
    ListThreads(id=4, query="sales", everywhere=True, before=2.5, limit=20),
    NewThread(),
    OpenThread(thread_id="5f0c"),
    RenameThread(thread_id="5f0c", title="Sales"),
    DeleteThread(thread_id="5f0c"),
    FindTasks(id=4, query="tests", states=["failed"], areas=["shell"], everywhere=False, before=9, limit=20),
    ReadLog(id=4, task_id=3, past_id=7, server="time", first_line=-500, lines=100),
    SearchLog(id=4, task_id=3, past_id=7, server="time", query="error", from_line=8, limit=20),
    ApprovalShown(approval_id=1),
    Attach(name="notes.md", size=3),
    Decide(approval_id=1, approved=True, values={"n": "a"}),
    Interrupt(),
    WarmUp(),
    WidgetAction(
        id=4,
        widget_id="w1",
        item_id="b1",
        action=ACTION,
        values={"n": "é"},
        surface_id="s1",
        request="r4",
    ),
    SpeakChoice(speak="short", voice="local", rate=1.5, browser_voice=True),
    SpeakingState(id=3, state="ended"),
    CellReply(id=4, problem=PROBLEM, notebook=NOTEBOOK, cells=[CELL], text="Saved", ran=False),
]


def classes(module: ModuleType) -> list[type[Wire]]:
    found = [member for _name, member in inspect.getmembers(module, inspect.isclass)]
    return [member for member in found if issubclass(member, Wire) and member is not Wire]


CLASSES = classes(messages)


def members(union: Any) -> set[type[BaseModel]]:
    return set(typing.get_args(typing.get_args(union)[0]))


def name_of(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else type(value).__name__


def test_what_a_subject_defines_is_a_public_name_of_the_schema() -> None:
    for module in pkgutil.iter_modules(messages.__path__, f"{messages.__name__}."):
        assert set(classes(import_module(module.name))) <= set(CLASSES)


def test_every_message_class_has_a_sample_here() -> None:
    assert {type(sample) for sample in SAMPLES} == set(CLASSES)


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_sample_sets_every_field_to_something_else_than_its_default(sample: Wire) -> None:
    fixed = {"type", "protocol", "action"}
    for name, field in type(sample).model_fields.items():
        if name not in fixed and not field.is_required():
            assert getattr(sample, name) != field.get_default(call_default_factory=True), name


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_message_comes_back_as_it_was_sent(sample: Wire) -> None:
    assert type(sample).model_validate_json(sample.model_dump_json()) == sample
    # Over a comm it is a dict of JSON values.
    as_sent = json.loads(json.dumps(sample.model_dump(mode="json")))
    assert type(sample).model_validate(as_sent) == sample


def is_message(cls: type[Wire]) -> bool:
    """Whether a class is told from others by its type; an action of a widget has one of its author's."""
    return "type" in cls.model_fields and not cls.model_fields["type"].is_required()


@pytest.mark.parametrize("sample", [s for s in SAMPLES if is_message(type(s))], ids=name_of)
def test_a_message_is_recognised_by_its_type_alone(sample: Wire) -> None:
    directions: list[TypeAdapter[Any]] = [messages.to_kernel, messages.to_surface]
    known = [adapter for adapter in directions if _accepts(adapter, sample)]
    assert len(known) == 1
    assert known[0].validate_json(known[0].dump_json(sample)) == sample


def _accepts(adapter: TypeAdapter[Any], sample: Wire) -> bool:
    try:
        return adapter.validate_python(sample.model_dump(mode="json")) == sample
    except ValidationError:
        return False


def test_types_are_unique_and_both_directions_hold_every_message() -> None:
    typed = {cls for cls in CLASSES if is_message(cls)}
    assert members(ToKernel) | members(ToSurface) == typed
    assert members(ToKernel) & members(ToSurface) == set()
    names = [cls.model_fields["type"].default for cls in typed]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("cls", CLASSES, ids=name_of)
def test_unknown_fields_are_refused(cls: type[Wire]) -> None:
    sample = next(sample for sample in SAMPLES if type(sample) is cls)
    with pytest.raises(ValidationError, match="Extra inputs"):
        cls.model_validate(sample.model_dump() | {"surprise": 1})


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_message_cannot_be_changed(sample: Wire) -> None:
    for name in type(sample).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(sample, name, getattr(sample, name))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "nonsense"},
        {"type": "say", "text": "x" * 10_001},
        {"type": "audio_start", "utterance_id": "u", "rate_hz": 1},
        {"type": "decide", "approval_id": 1},
        {"type": "do", "calls": []},
        {"type": "rename_thread", "thread_id": "5f0c", "title": ""},
        {"type": "task", "task": {}},  # from a surface: the wrong direction
        {},
    ],
)
def test_what_a_surface_may_not_send_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        messages.to_kernel.validate_python(wrong)


def test_progress_stays_between_nothing_and_everything() -> None:
    for fraction in (-0.1, 1.1):
        with pytest.raises(ValidationError):
            Progress(fraction=fraction)
