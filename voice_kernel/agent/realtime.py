"""OpenAI's Realtime interface: an ear and a model behind one WebSocket, through `agents.realtime`.

The kernel relays the sound; the key never reaches a page. What was said comes back as text first, and goes
the way of all words: what the grammar understands is done by it, and taken out of the model's conversation;
for the rest the model answers what it has itself heard, acting through the toolbox like any other brain.
Knows the port of transcribers, and answers as a session asks brains to. Belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from voice_kernel.agent.accounts import NOTHING, Accounts
from voice_kernel.agent.brain import MAX_SHARED_CHARS, SHARE
from voice_kernel.agent.instructions import instructions, question
from voice_kernel.agent.line import TOOL_ENDED, TOOL_MISSING, Event, Line, reported
from voice_kernel.agent.provider import ModelSettings, load_sdk
from voice_kernel.agent.report import clip
from voice_kernel.agent.servers import stays_here
from voice_kernel.agent.tools import TurnTools
from voice_kernel.context import Context
from voice_kernel.endpoint import Endpoint
from voice_kernel.errors import EngineUnavailable, ModelError, Refused, ServerFailed, SpeechError
from voice_kernel.language import _
from voice_kernel.messages import Turn
from voice_kernel.speech.names import hint, names_of
from voice_kernel.speech.recording import Recording, cut_notice
from voice_kernel.speech.transcriber import Expect, Transcript
from voice_kernel.store import Left
from voice_kernel.toolbox.door import Toolbox

if TYPE_CHECKING:
    from voice_kernel.agent.brain import Brain
    from voice_kernel.speech.resampling import PcmStream

logger = logging.getLogger(__name__)

OPENAI_MODEL = "gpt-realtime-2.1"
TRANSCRIPTION_MODEL = "gpt-transcribe"
KEYWORDED = ("gpt-transcribe", "gpt-live-transcribe")
"""Models that take names as such. Source: OpenAI's API, `audio.input.transcription`; so is the next."""
UNPROMPTED = "gpt-realtime-whisper"
MAX_KEYWORDS = 100
LINE_RATE_HZ = 24_000
"""The only rate of 16-bit sound that the interface takes."""
TEXT_LIMIT_S = 20.0
"""From the end of an utterance to its text."""
SILENCE_LIMIT_S = 60.0
"""Longest silence of the server in an answer, while no tool runs."""
MAX_LINE_AGE_S = 50 * 60.0
"""A session ends by itself after 60 minutes. Source: OpenAI, "Realtime conversations"."""
MAX_ANSWER_CHARS = 40_000
MAX_STEPS = 12
"""Responses of the model in one turn."""
MAX_PAST = 6
MAX_PAST_CHARS = 2_000
MAX_PROMPT_CHARS = 800


def _nobody(**_changes: Any) -> None:
    """Nobody wants to know."""


class Realtime:
    """One conversation with a Realtime model: a `Transcriber`, and with a toolbox a brain too.

    Args:
        endpoint: the server.
        model: the model that answers; OpenAI's own when empty.
        transcription_model: the model that writes down what was said; OpenAI's own when empty.
        language: ISO 639-1 code of what is spoken.
        toolbox: the one door; without it nothing is answered.
        working_folder: the folder the kernel runs in, as the model is told.
        others: what answers when another model is asked for by its name.
        accounts: what answers have taken, and may take.
        shares: whether a person is shown what the model is told, before the first time it is sent.
        text_limit_s: how long the text of an utterance is waited for.
    """

    name = "realtime"

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        model: str = "",
        transcription_model: str = "",
        language: str = "en",
        toolbox: Toolbox | None = None,
        working_folder: str = "",
        others: Callable[[], Awaitable[Brain]] | None = None,
        accounts: Accounts | None = None,
        shares: bool = False,
        text_limit_s: float = TEXT_LIMIT_S,
    ) -> None:
        self.endpoint = endpoint
        self.model = model or OPENAI_MODEL
        self.language = language
        self.text_limit_s = text_limit_s
        self._transcription_model = transcription_model or TRANSCRIPTION_MODEL
        self._toolbox = toolbox
        self._working_folder = working_folder
        self._others = others
        self._accounts = accounts or Accounts()
        self._shares = shares
        self._loaded = False
        self._line: Line | None = None
        self._connecting = asyncio.Lock()
        self.microphone = asyncio.Lock()
        """There is one buffer for sound at the other end: held by the utterance that fills it."""
        self._said: tuple[str, str] | None = None
        self._answering = False
        self._introduced = False
        self._past: deque[tuple[str, str]] = deque(maxlen=MAX_PAST)
        self._untrusted = ""
        self._recognitions: set[RealtimeRecognition] = set()

    # ---- the ear -----------------------------------------------------------------------------------

    @property
    def sent_to(self) -> str:
        """The server; see `Transcriber.sent_to`."""
        return self.endpoint.server

    @property
    def loaded(self) -> bool:
        """Whether the SDK is there."""
        return self._loaded

    async def load(self) -> None:
        """Import the SDK; see `Transcriber.load`. Nothing is sent."""
        if self.endpoint.is_openai and not self.endpoint.api_key:
            raise EngineUnavailable(
                _("{server} wants an API key.").format(server=self.endpoint.server),
                hint=_("Set {key_setting}.").format(key_setting=self.endpoint.key_setting),
            )
        try:
            await load_sdk()
        except ModelError as error:
            raise EngineUnavailable(error.message, hint=error.hint) from error
        self._loaded = True

    def open(
        self,
        *,
        rate_hz: int,
        context: Context | None = None,
        expect: Expect = "command",
        on_partial: Callable[[str], None] | None = None,
        understands: Callable[[str], float] | None = None,
    ) -> RealtimeRecognition:
        """Start an utterance; see `Transcriber.open`. The sound is sent while it comes."""
        recognition = RealtimeRecognition(self, rate_hz, context or Context(), expect, on_partial)
        self._recognitions.add(recognition)
        return recognition

    async def close(self) -> None:
        """Hang up; see `Transcriber.close`."""
        for recognition in list(self._recognitions):
            recognition.discard()
        await self._hang_up()

    # ---- for recognitions --------------------------------------------------------------------------

    def forget(self, recognition: RealtimeRecognition) -> None:
        """Let go of a recognition that is over."""
        self._recognitions.discard(recognition)

    async def line(self) -> Line:
        """Return the connection, making one where there is none.

        Raises:
            EngineUnavailable: the SDK or a key is missing.
            ServerFailed: the server cannot be reached, or does not want us.
        """
        await self.load()
        async with self._connecting:
            if self._line is not None and not (self._line.usable and self._line.age_s < MAX_LINE_AGE_S):
                await self._hang_up()
            if self._line is None:
                # It is told nothing yet: an ear needs to know no more than it hears.
                self._line = await Line.connect(self.endpoint, self._settings())
                self._said = None
                self._introduced = False
            return self._line

    async def prepare(self, line: Line, context: Context, expect: Expect) -> None:
        """Make ready for an utterance: say which words to expect, and clear what was left over."""
        await self._unsay(line)
        prompt = hint(context, expect, self.language, MAX_PROMPT_CHARS)
        await line.expect(self._transcription(prompt, names_of(context) if expect == "command" else ()))
        await line.send("input_audio_buffer.clear")

    async def _unsay(self, line: Line) -> None:
        """Take an utterance that the model was not asked about out of its conversation.

        It must not be answered together with the next one.
        """
        if self._said is not None:
            item, _words = self._said
            self._said = None
            await line.send("conversation.item.delete", item_id=item)

    async def was_said(self, line: Line, item: str, text: str) -> None:
        """Remember which item of the conversation holds the newest utterance."""
        self._said = item, text
        if self._answering:  # what is said into an answer, such as "approve", is not for the model
            await self._unsay(line)

    # ---- the brain ---------------------------------------------------------------------------------

    async def answer(
        self,
        text: str,
        *,
        turn_id: int,
        context: Context,
        on_text: Callable[[str], None],
        approved_tools: Collection[str] = (),
        on_change: Callable[..., None] = _nobody,
        model: str = "",
        tool: str = "",
    ) -> str:
        """Answer what was said or typed; see `Brain.answer`.

        Raises:
            ModelError: the model did not answer to the end.
            Refused: a person did not want anything to be sent.
        """
        if (model or tool) and self._others is not None:
            return await (await self._others()).answer(
                text,
                turn_id=turn_id,
                context=context,
                on_text=on_text,
                approved_tools=approved_tools,
                on_change=on_change,
                model=model,
            )
        if self._answering:  # a second answer would mix with the first; a cell that it runs may ask for one
            message = _("{model} is answering another turn.").format(model=self.model)
            raise ModelError(message, hint=_("Wait for it."), retryable=True)
        self._answering = True
        try:
            return await self._answer(text, turn_id, context, on_text, approved_tools, on_change)
        finally:
            self._answering = False

    async def go_on(
        self,
        left: Sequence[Left],
        *,
        turn_id: int,
        on_text: Callable[[str], None],
        on_change: Callable[..., None] = _nobody,
    ) -> str:
        """Go on from calls that waited when their kernel ended; see `Brain.go_on`.

        What is said over a line is not kept there: it is another model's conversation that goes on.

        Raises:
            ModelError: there is no other model, or it did not answer to the end.
            Refused: a person did not want anything to be sent.
        """
        if self._others is None:
            raise ModelError(_("No model is there that could go on with it."), hint=_("Ask again."))
        brain = await self._others()
        return await brain.go_on(left, turn_id=turn_id, on_text=on_text, on_change=on_change)

    async def _answer(
        self,
        text: str,
        turn_id: int,
        context: Context,
        on_text: Callable[[str], None],
        approved_tools: Collection[str],
        on_change: Callable[..., None],
    ) -> str:
        assert self._toolbox is not None  # nobody asks what can only listen
        self._accounts.check()
        tools = TurnTools(
            self._toolbox,
            turn_id=turn_id,
            untrusted=self._untrusted,
            approved_tools=approved_tools,
            strict=False,
        )
        answer = _Answer(on_text)
        try:
            line = await self.line()
            on_change(model=_("{model} at {server}").format(model=self.model, server=self.endpoint.server))
            asked = question(text, context)
            await self._share(asked, turn_id, approved_tools)
            if not self._introduced:
                await self._introduce(line)
            if self._said is not None and text in self._said[1]:
                # The model has heard it; the words are those that the person sees.
                asked = f"{asked}\n(This is what was just said, as it was written down.)"
                self._said = None
            await self._unsay(line)
            await line.add("user", asked)
            await line.equip(self._instructions(), tools.function_tools())
            await self._run(line, tools, answer, on_change)
        except SpeechError as error:  # the line's, which is an ear first
            raise ModelError(error.message, hint=error.hint, retryable=True) from error
        finally:
            await tools.stop()
            self._untrusted = tools.untrusted
            if answer.text:
                self._past.append((clip(text, MAX_PAST_CHARS), clip(answer.text, MAX_PAST_CHARS)))
        if not answer.text and not tools.exchanges:
            message = _("{name} gave an empty answer.").format(name=self.model)
            raise ModelError(message, hint=_("Ask again."), retryable=True)
        return answer.text

    def recall(self, turns: Sequence[Turn]) -> None:
        """Go on with another conversation: the next words go over a new line, and begin with its turns."""
        self._past.clear()
        for turn in turns:
            if turn.route == "model" and turn.answer:
                self._past.append((clip(turn.text, MAX_PAST_CHARS), clip(turn.answer, MAX_PAST_CHARS)))
        self._untrusted = _("an earlier answer") if self._past else ""
        if self._line is not None:
            self._line.retire()

    async def _introduce(self, line: Line) -> None:
        """Tell a new line what was said over others."""
        self._introduced = True
        if self._past:
            await self._unsay(line)  # the newest words are the last ones: they follow in writing
        for asked, answered in self._past:
            await line.add("user", asked)
            await line.add("assistant", answered)

    async def _share(self, asked: str, turn_id: int, approved_tools: Collection[str]) -> None:
        """Show a person what is sent beside the sound, before the first time; see `Brain`."""
        assert self._toolbox is not None
        if not self._shares:
            return
        sent = f"{self._instructions()}\n\n{asked}"
        arguments = {
            "model": self.model,
            "server": self.endpoint.server,
            "stays": stays_here(ModelSettings(base_url=self.endpoint.http_url)),
            "sent": clip(sent, MAX_SHARED_CHARS),
        }
        task = await self._toolbox.call(
            SHARE, arguments, turn_id=turn_id, origin="text", approved_tools=approved_tools
        )
        if task.state != "succeeded":
            problem = task.problem
            raise Refused(
                problem.message if problem else _("Nothing was sent to the model."),
                hint=problem.hint if problem else "",
            )
        self._shares = False

    async def _run(
        self, line: Line, tools: TurnTools, answer: _Answer, on_change: Callable[..., None]
    ) -> None:
        """Let the model take its steps until it has nothing more to do."""
        usage = NOTHING
        events: asyncio.Queue[Event] = asyncio.Queue()
        steps = _Steps()
        with line.heard(events.put_nowait):
            try:
                await line.respond()
                while not steps.over:
                    async with asyncio.timeout(None if steps.running else SILENCE_LIMIT_S):
                        event = await events.get()
                    if event["type"] == "response.done":
                        # Words and sound have prices of their own: none is told.
                        usage = self._accounts.add(usage, _reported(event), priced=False)
                        on_change(usage=usage)
                    if (wrong := reported(event, self.endpoint)) is not None:
                        raise wrong
                    answer.take(event)
                    steps.take(event)
                    if event["type"] == "response.done" and not steps.over:
                        self._accounts.check()
                    if event["type"] == TOOL_MISSING:
                        await line.respond()  # the SDK tells the model, and leaves it at that
                    if steps.taken > MAX_STEPS:
                        raise ModelError(
                            _("The model used all its steps and did not finish."),
                            hint=_("Ask for a smaller step; what its tasks did stays done."),
                        )
                    if tools.circling:
                        raise ModelError(
                            _("The model went round in circles and was stopped."),
                            hint=_("Ask in other words."),
                        )
            except TimeoutError:
                raise ModelError(
                    _("The model at {server} fell silent.").format(server=self.endpoint.server),
                    hint=_("Ask again."),
                    retryable=True,
                ) from None
            finally:
                if not steps.over:
                    await line.interrupt()

    def _instructions(self) -> str:
        if self._toolbox is None:
            return ""
        return instructions(
            self._toolbox.registry,
            working_folder=self._working_folder,
            shell_allowed=self._toolbox.policy.shell_allowed,
        )

    def _settings(self) -> dict[str, Any]:
        return {
            "model_name": self.model,
            "output_modalities": ["text"],
            "parallel_tool_calls": False,
            "tracing": None,
            "audio": {
                "input": {
                    "format": "pcm16",
                    "transcription": self._transcription(),
                    # We say when an utterance is over, and whether it is to be answered.
                    "turn_detection": None,
                }
            },
        }

    def _transcription(self, prompt: str = "", names: Sequence[str] = ()) -> dict[str, Any]:
        model = self._transcription_model
        wanted: dict[str, Any] = {"model": model, "language": self.language}
        if model != UNPROMPTED:
            wanted["prompt"] = prompt
        if model.startswith(KEYWORDED):
            wanted["keywords"] = list(names[:MAX_KEYWORDS])
        return {key: value for key, value in wanted.items() if value}

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        self._said = None
        if line is not None:
            await line.close()


def _reported(event: Event) -> Any:
    """Return what a response took, as the Responses protocol has it.

    Source: OpenAI, Realtime API, `response.done`.
    """
    told = (event.get("response") or {}).get("usage") or {}
    details = told.get("input_token_details") or {}
    return SimpleNamespace(
        input_tokens=told.get("input_tokens"),
        output_tokens=told.get("output_tokens"),
        input_tokens_details=SimpleNamespace(cached_tokens=details.get("cached_tokens")),
    )


class _Steps:
    """How far an answer is: responses of the model, and tools between them."""

    def __init__(self) -> None:
        self.taken = 0
        self._speaking = False
        self._expected = True  # a response that was asked for and has not begun
        self._tools = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.taken > 0 and not (self._speaking or self._expected or self._tools)

    @property
    def running(self) -> bool:
        """Whether a tool runs: that may take as long as it takes."""
        return self._tools > 0

    def take(self, event: Event) -> None:
        match event["type"]:
            case "response.created":
                self.taken += 1
                self._speaking, self._expected = True, False
            case "response.done":
                self._speaking = False
            case "response.output_item.done":
                self._tools += (event.get("item") or {}).get("type") == "function_call"
            case kind if kind in (TOOL_ENDED, TOOL_MISSING):
                self._tools = max(0, self._tools - 1)
                self._expected = True


class _Answer:
    """Collects the text of a turn; texts of different steps become paragraphs."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self.text = ""
        self._on_text = on_text
        self._new_step = False

    def take(self, event: Event) -> None:
        if event["type"] == "response.created":
            self._new_step = bool(self.text)
        elif event["type"] in ("response.output_text.delta", "response.output_audio_transcript.delta"):
            piece = ("\n\n" if self._new_step else "") + str(event.get("delta", ""))
            self._new_step = False
            if len(self.text) + len(piece) > MAX_ANSWER_CHARS:
                raise ModelError(
                    _("The answer grew past every bound and was cut."), hint=_("Ask for something shorter.")
                )
            self.text += piece
            self._on_text(piece)


class RealtimeRecognition:
    """One utterance over the line; see `Recognition`."""

    def __init__(
        self,
        engine: Realtime,
        rate_hz: int,
        context: Context,
        expect: Expect,
        on_partial: Callable[[str], None] | None,
    ) -> None:
        self._engine = engine
        self._recording = Recording(rate_hz)
        self._context = context
        self._expect: Expect = expect
        self._on_partial = on_partial
        self._waiting: deque[bytes] = deque()
        self._more = asyncio.Event()
        self._over = False
        self._work = asyncio.ensure_future(self._relay())
        self._work.add_done_callback(_noticed)

    def feed(self, pcm: bytes) -> None:
        """Add PCM; see `Recognition.feed`."""
        if not self._over:
            self._waiting.append(self._recording.feed(pcm))
            self._recording.clear()
            self._more.set()

    async def finish(self) -> Transcript:
        """End the sound and return its text; see `Recognition.finish`."""
        finished_at = time.perf_counter()
        self._over = True
        self._more.set()
        try:
            async with asyncio.timeout(self._engine.text_limit_s):
                await asyncio.wait({self._work})
            if self._work.cancelled():
                raise SpeechError(_("The recording was thrown away."))
            text = self._work.result()
        except TimeoutError:
            server = self._engine.endpoint.server
            raise ServerFailed(_("{server} did not send its text in time.").format(server=server)) from None
        finally:
            self.discard()
        return Transcript(
            text=text,
            audio_s=self._recording.audio_s,
            latency_s=time.perf_counter() - finished_at,
            engine=self._engine.name,
            language=self._engine.language,
            speech_s=self._recording.audio_s if text else 0.0,
            notice=cut_notice() if self._recording.cut else "",
        )

    def discard(self) -> None:
        """Throw the utterance away; see `Recognition.discard`."""
        self._over = True
        self._waiting.clear()
        self._engine.forget(self)
        self._work.cancel()

    async def _relay(self) -> str:
        """Send the sound as it comes, and return its text."""
        await asyncio.to_thread(__import__, "voice_kernel.speech.resampling")
        from voice_kernel.speech.resampling import PcmStream

        async with self._engine.microphone:
            line = await self._engine.line()
            await self._engine.prepare(line, self._context, self._expect)
            written = _Writing(self._engine.endpoint, self._show)
            with line.heard(written.take):
                stream = PcmStream(self._recording.rate_hz, LINE_RATE_HZ)
                while not (self._over and not self._waiting):
                    await self._more.wait()
                    self._more.clear()
                    await self._send(line, stream)
                if not self._recording.audio_s:
                    return ""
                await line.send_audio(_pcm(stream.flush()) + bytes(_LEAST_BYTES))
                await line.send("input_audio_buffer.commit")
                item, text = await written.text
            await self._engine.was_said(line, item, text)
            return text

    async def _send(self, line: Line, stream: PcmStream) -> None:
        sound = b"".join(self._waiting)
        self._waiting.clear()
        if sound:
            await line.send_audio(_pcm(stream.push(sound)))

    def _show(self, text: str) -> None:
        if self._on_partial is not None:
            self._on_partial(text)


_LEAST_BYTES = 2 * LINE_RATE_HZ // 10
"""Less than 100 ms of sound is refused, so that some silence goes at the end of each utterance."""


class _Writing:
    """How an utterance is written down by the server."""

    def __init__(self, endpoint: Endpoint, on_text: Callable[[str], None]) -> None:
        self.text: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self._endpoint = endpoint
        self._on_text = on_text
        self._item = ""
        self._so_far = ""

    def take(self, event: Event) -> None:
        if self.text.done():
            return
        item = str(event.get("item_id", ""))
        match event["type"]:
            case "input_audio_buffer.committed":
                self._item = item
            case "conversation.item.input_audio_transcription.delta" if item == (self._item or item):
                self._so_far += str(event.get("delta") or "")
                self._on_text(self._so_far.strip())
            case "conversation.item.input_audio_transcription.completed" if item == self._item:
                self.text.set_result((item, str(event.get("transcript", "")).strip()))
            case _:
                if (wrong := reported(event, self._endpoint)) is not None:
                    self.text.set_exception(wrong)
                    self.text.exception()  # nobody may be waiting yet


def _pcm(samples: Any) -> bytes:
    import numpy as np

    pcm: bytes = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return pcm


def _noticed(work: asyncio.Future[str]) -> None:
    """Take note of how work ended: nobody may be waiting for it, and that is no mistake."""
    if not work.cancelled():
        work.exception()
