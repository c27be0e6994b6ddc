"""Utterances of a page, by whichever engine hears: what becomes of them, and of what no text came of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_server import Call, OpenAIServer, Reply, serve
from pydantic import SecretStr

from voice_kernel import endpoint, listening
from voice_kernel.agent.realtime import Realtime
from voice_kernel.context import Context
from voice_kernel.endpoint import Endpoint
from voice_kernel.errors import EngineUnavailable, SettingsError
from voice_kernel.events import Hub
from voice_kernel.hearing import Hearing
from voice_kernel.intents import Grammar
from voice_kernel.listening import MAX_KEPT, Listener
from voice_kernel.messages import About, ListEngines, Notice, Result, ToSurface, Turn
from voice_kernel.session import Session
from voice_kernel.settings import Settings
from voice_kernel.speech.chosen import ChosenTranscriber
from voice_kernel.speech.transcriber import Transcriber, Transcript
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Arguments, Registry

KEY = "sk-test-0123456789abcdef"
CHUNK = b"\x10\x00\xf0\xff" * 320
CHUNKS = 25


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the page and the server as long as a busy machine takes."""
    monkeypatch.setattr(listening, "RELEASED_LIMIT_S", 60.0)
    monkeypatch.setattr(endpoint, "CONNECT_LIMIT_S", 60.0)


@pytest.fixture(scope="module")
def _one_server() -> Iterator[OpenAIServer]:
    with serve() as server:
        yield server


@pytest.fixture
def server(_one_server: OpenAIServer) -> OpenAIServer:
    _one_server.reset()
    return _one_server


class House:
    """A session whose page speaks; the local engine is not installed."""

    def __init__(self, server: OpenAIServer, folder: Path, chosen: str) -> None:
        self.settings = Settings(
            speech_url=server.url, speech_api_key=SecretStr(KEY), transcription_model="whisper-1"
        )
        self.hub = Hub(About(version="test"))
        self.notices: list[Notice] = []
        self.hub.tell_also(self)
        self.registry = Registry()
        self.ran: list[str] = []
        runner = Runner(self.hub, lambda task_id: LogFolder(folder).open(f"task-{task_id}"))

        async def nobody() -> bool:
            return False

        self.toolbox = Toolbox(self.registry, Policy(), Approvals(self.hub, nobody), runner)

        @self.registry.tool(area="data", effects=frozenset({"read"}))
        async def list_variables(task: TaskHandle, arguments: Arguments) -> Result:
            """List the variables."""
            self.ran.append(task.origin)
            return Result(summary="2 variables")

        self.realtime = Realtime(Endpoint(server.url, KEY), toolbox=self.toolbox, text_limit_s=120.0)
        self.hearing = Hearing(self.settings, lambda: self.realtime)
        self.engine = ChosenTranscriber(self._make, chosen, tell=self._tell)

        async def grammar() -> Grammar:
            return Grammar.shared()

        async def context() -> Context:
            return Context()

        async def brain() -> Realtime:
            return self.realtime

        self.session = Session(
            self.hub, self.toolbox, grammar, context, lambda: None, brain,
            model_on=lambda: self.engine.name == "realtime",
        )  # fmt: skip
        self.listener = Listener(self.hub, self.session, self.engine, Context, grammar, hearing=self.hearing)
        self.reader = _Reader()
        if chosen == "reader":
            self.listener = Listener(self.hub, self.session, self.reader, Context, grammar)
        self.utterances = 0

    def _make(self, name: str) -> Transcriber:
        if name == "local":
            return _NotInstalled()
        return self.hearing.make(name)

    def _tell(self, message: str, hint: str) -> None:
        self.publish(Notice(level="warning", message=message, hint=hint))

    def publish(self, message: ToSurface) -> None:
        if isinstance(message, Notice):
            self.notices.append(message)

    def begin(self) -> str:
        self.utterances += 1
        name = f"u{self.utterances}"
        self.listener.start(name, 16_000, "page")
        for seq in range(CHUNKS):
            self.listener.chunk(name, seq, CHUNK)
        return name

    async def speak(self) -> Turn:
        """Let the page record an utterance; return the turn it became."""
        async with asyncio.timeout(30):
            result = await self.listener.end(self.begin(), CHUNKS, False)
        assert result is not None
        return result.turn


class _NotInstalled:
    name, sent_to, loaded = "local", "", False

    async def load(self) -> None:
        raise EngineUnavailable("The local engine is not installed.", hint="Install it.")

    def open(self, **_how: Any) -> _NotInstalled:
        return self

    def feed(self, pcm: bytes) -> None: ...

    async def finish(self) -> Any:
        await self.load()

    def discard(self) -> None: ...

    async def close(self) -> None: ...


class _Reader:
    """Reads ahead: tells when it has read to the end, as the test says."""

    name, sent_to, loaded, language = "reader", "", True, "en"

    def __init__(self) -> None:
        self.on_pause: Callable[[str], None] | None = None
        self.closes = asyncio.Event()

    async def load(self) -> None: ...

    def open(self, **_how: Any) -> _Reader:
        return self

    def feed(self, pcm: bytes) -> None: ...

    def closing(self) -> None:
        self.closes.set()

    def pause(self) -> None:
        assert self.on_pause is not None
        self.on_pause("List variables.")

    async def finish(self) -> Transcript:
        return Transcript("List variables.", 1.0, 0.0, self.name)

    def discard(self) -> None: ...

    async def close(self) -> None: ...


@pytest.fixture
async def house(server: OpenAIServer, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    made = House(server, tmp_path, getattr(request, "param", "openai"))
    yield made
    await made.engine.close()
    await made.realtime.close()


async def test_a_turn_knows_which_engine_heard_it(house: House, server: OpenAIServer) -> None:
    server.hears("List variables.")
    turn = await house.speak()
    assert (turn.text, turn.engine, turn.route, turn.state) == (
        "List variables.", "openai", "intents", "succeeded",
    )  # fmt: skip
    assert house.hub.speech.sent_to == house.engine.sent_to


async def test_what_no_text_came_of_is_kept_and_heard_again(house: House, server: OpenAIServer) -> None:
    server.hears(Reply(text="List variables.", cut_after=1))
    missed = await house.speak()
    assert (missed.state, missed.kept_audio, missed.text) == ("failed", True, "")
    assert missed.problem is not None
    assert "broke off" in missed.problem.message
    assert "not installed" in missed.problem.message
    server.hears("List variables.")
    result = await house.listener.hear_again(missed.id, "page")
    assert result is not None
    assert (result.turn.text, result.turn.state) == ("List variables.", "succeeded")
    assert house.hub.turns[missed.id].kept_audio is False
    assert server.recordings[0]["bytes"] == server.recordings[1]["bytes"]
    assert await house.listener.hear_again(missed.id, "page") is None
    assert "not kept any more" in house.notices[-1].message


async def test_what_was_said_before_a_card_was_shown_does_not_approve_it_when_heard_again(
    house: House, server: OpenAIServer
) -> None:
    server.hears(Reply(text="Approve.", cut_after=0))
    missed = await house.speak()
    before, after = missed.created_at, time.time()
    spoken: list[float] = []
    house.session._toolbox.approvals.spoken = lambda yes, number, at: spoken.append(at) or "no"  # type: ignore
    server.hears("Approve.")
    await house.listener.hear_again(missed.id, "page")
    (said_at,) = spoken
    assert before <= said_at <= after


async def test_only_the_newest_recordings_are_kept(house: House, server: OpenAIServer) -> None:
    server.hears(*(Reply(text="No.", cut_after=0) for _ in range(MAX_KEPT + 1)))
    missed = [await house.speak() for _ in range(MAX_KEPT + 1)]
    kept = [house.hub.turns[turn.id].kept_audio for turn in missed]
    assert kept == [False, *[True] * MAX_KEPT]


async def test_another_engine_is_chosen_without_a_restart(house: House, server: OpenAIServer) -> None:
    await house.speak()
    await house.listener.choose("realtime")
    assert house.hub.speech.engine == "realtime"
    server.hears("List variables.")
    assert (await house.speak()).engine == "realtime"
    told = await house.listener.engines(ListEngines(id=3))
    assert (told.id, told.chosen, told.locked) == (3, "realtime", False)
    with pytest.raises(EngineUnavailable):
        await house.listener.choose("nothing")
    house.settings._locked = frozenset({"speech_engine"})
    with pytest.raises(SettingsError):
        await house.listener.choose("openai")


async def test_an_engine_that_is_chosen_while_another_one_loads_is_loaded_too(house: House) -> None:
    house.listener.warm_up()
    await house.listener.choose("realtime")
    async with asyncio.timeout(30):
        while house.hub.speech.state != "ready":  # noqa: ASYNC110  it says so, and nothing more
            await asyncio.sleep(0.01)
    assert house.hub.speech.engine == "realtime"


@pytest.mark.parametrize("house", ["reader"], indirect=True)
async def test_who_lets_go_after_the_last_word_need_not_wait_for_the_end_of_the_recording(
    house: House,
) -> None:
    name = house.begin()
    released = asyncio.ensure_future(house.listener.release(name))
    await asyncio.wait_for(house.reader.closes.wait(), 30)
    house.reader.pause()
    result = await released
    assert result is not None
    assert (result.turn.text, result.turn.state) == ("List variables.", "succeeded")
    house.listener.chunk(name, CHUNKS, CHUNK)
    assert await house.listener.end(name, CHUNKS + 1, False) is None
    assert house.ran == ["voice"]


@pytest.mark.parametrize("house", ["reader"], indirect=True)
async def test_who_lets_go_within_a_word_is_heard_to_the_end_of_the_recording(house: House) -> None:
    name = house.begin()
    released = asyncio.ensure_future(house.listener.release(name))
    await asyncio.wait_for(house.reader.closes.wait(), 30)
    house.listener.chunk(name, CHUNKS, CHUNK)
    result = await house.listener.end(name, CHUNKS + 1, False)
    house.reader.pause()
    assert await released is None
    assert result is not None
    assert result.turn.state == "succeeded"
    assert house.ran == ["voice"]


@pytest.mark.parametrize("house", ["browser"], indirect=True)
async def test_the_words_of_a_page_become_its_turn(house: House) -> None:
    name = house.begin()
    house.listener.heard(name, "", final=False, problem="")
    house.listener.heard(name, "list", final=False, problem="")
    assert [turn.text for turn in house.hub.turns.values()] == ["list"]
    ending = asyncio.ensure_future(house.listener.end(name, CHUNKS, False))
    await asyncio.sleep(0)
    house.listener.heard(name, "List variables.", final=True, problem="")
    result = await ending
    assert result is not None
    assert (result.turn.text, result.turn.engine) == ("List variables.", "browser")
    house.listener.heard(name, "too late", final=True, problem="")


@pytest.mark.parametrize("house", ["realtime"], indirect=True)
async def test_a_realtime_model_is_not_asked_what_the_grammar_understands(
    house: House, server: OpenAIServer
) -> None:
    server.hears("List variables.")
    turn = await house.speak()
    assert (turn.route, turn.state, house.ran) == ("intents", "succeeded", ["voice"])
    assert "response.create" not in [event["type"] for event in server.talks[0]]


@pytest.mark.parametrize("house", ["realtime"], indirect=True)
async def test_a_realtime_model_answers_the_rest_through_the_same_toolbox(
    house: House, server: OpenAIServer
) -> None:
    server.hears("What on earth have I got here?")
    server.says(Call("list_variables"), "Two variables.")
    turn = await house.speak()
    assert (turn.route, turn.state, turn.answer) == ("model", "succeeded", "Two variables.")
    assert (turn.engine, house.ran) == ("realtime", ["model"])
    assert turn.model.startswith("gpt-realtime")
