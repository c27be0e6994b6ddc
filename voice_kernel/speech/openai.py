"""The `openai` engine: any server with OpenAI's `/audio/transcriptions`, through OpenAI's own client.

The whole utterance is sent when it is over; where the server streams, the text comes word by word. What
goes wrong becomes a `SpeechError` in words, and the sound stays with whoever fed it. It does not know
what happens then: see `chosen`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from voice_kernel.context import Context
from voice_kernel.endpoint import Endpoint, Failure, failure_of
from voice_kernel.errors import EngineUnavailable, ServerFailed, SpeechError
from voice_kernel.language import _
from voice_kernel.speech.names import hint, names_of
from voice_kernel.speech.recording import Recording, cut_notice
from voice_kernel.speech.transcriber import Expect, Transcript

if TYPE_CHECKING:
    import openai

OPENAI_MODEL = "gpt-transcribe"
MODEL_SETTING = "VOICE_KERNEL_TRANSCRIPTION_MODEL"
SILENCE_S = 15.0
"""Longest silence of the server; a person waits, and the local engine could have answered."""
ANSWER_LIMIT_S = 45.0
"""From the end of the speech to its text, whatever the server does meanwhile."""
RETRY_PAUSE_S = 0.2
MAX_PROMPT_CHARS = 800
"""Whisper keeps the last 224 tokens of a prompt; of code words a token is some four characters."""
MAX_KEYWORDS = 100
MAX_LISTED_MODELS = 10

_SPEECH_WORDS = ("transcri", "whisper", "asr", "speech", "parakeet", "voxtral", "moonshine", "canary")
"""In the names of models that recognise speech, where a server offers others too."""


class OpenAITranscriber:
    """Speech recognition by a server. Create it anywhere; use it from one event loop.

    Creating it costs nothing, and nothing is sent before the first utterance is over.

    Args:
        endpoint: the server.
        model: the model's name; OpenAI's own, or the one that the server offers, when empty.
        language: ISO 639-1 code of what is spoken.
        silence_s: how long the server may say nothing before it is given up.
    """

    name = "openai"

    def __init__(
        self, endpoint: Endpoint, *, model: str = "", language: str = "en", silence_s: float = SILENCE_S
    ) -> None:
        self._endpoint = endpoint
        self._model = model or (OPENAI_MODEL if endpoint.is_openai else "")
        self.language = language
        self._silence_s = silence_s
        self._client: openai.AsyncOpenAI | None = None
        self._loading = asyncio.Lock()
        self._streams = True
        self._recognitions: set[OpenAIRecognition] = set()

    @property
    def sent_to(self) -> str:
        """The server; see `Transcriber.sent_to`."""
        return self._endpoint.server

    @property
    def loaded(self) -> bool:
        """Whether the client is there."""
        return self._client is not None

    async def load(self) -> None:
        """Import the client; see `Transcriber.load`. Sends nothing."""
        async with self._loading:
            if self._client is not None:
                return
            if self._endpoint.is_openai and not self._endpoint.api_key:
                raise EngineUnavailable(
                    _("{server} wants an API key.").format(server=self._endpoint.server),
                    hint=_("Set {key_setting}.").format(key_setting=self._endpoint.key_setting),
                )
            try:
                self._client = await self._endpoint.client(silence_s=self._silence_s)
            except ImportError as error:
                raise EngineUnavailable(
                    _("The client for speech servers is not installed."),
                    hint=_('Run: pip install "voice-kernel[model]", then restart the kernel.'),
                ) from error

    def open(
        self,
        *,
        rate_hz: int,
        context: Context | None = None,
        expect: Expect = "command",
        on_partial: Callable[[str], None] | None = None,
        understands: Callable[[str], float] | None = None,
    ) -> OpenAIRecognition:
        """Start an utterance; see `Transcriber.open`. `understands` cannot be asked there."""
        recognition = OpenAIRecognition(self, rate_hz, context or Context(), expect, on_partial)
        self._recognitions.add(recognition)
        return recognition

    async def close(self) -> None:
        """Give up what is under way and close the connections; see `Transcriber.close`."""
        for recognition in list(self._recognitions):
            recognition.discard()
        if self._client is not None:
            await self._client.close()
            self._client = None

    # ---- for recognitions --------------------------------------------------------------------------

    def forget(self, recognition: OpenAIRecognition) -> None:
        """Let go of a recognition that is over."""
        self._recognitions.discard(recognition)

    async def transcribe(
        self, wav: bytes, context: Context, expect: Expect, on_text: Callable[[str], None]
    ) -> str:
        """Return the text of a recording.

        Args:
            wav: the recording.
            context: names that may be spoken.
            expect: what kind of speech it is.
            on_text: called with the text so far, as it comes.

        Raises:
            EngineUnavailable: the server cannot be used as it is configured.
            SpeechError: it did not answer to the end.
        """
        await self.load()
        assert self._client is not None
        import openai

        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                model = self._model = self._model or await self._offered(self._client)
                request = self._request(model, wav, context, expect)
                try:
                    return await self._ask(self._client, request, on_text)
                except openai.APIConnectionError as error:
                    # Once, for a kept connection that the server had closed; not for one that is slow.
                    if isinstance(error, openai.APITimeoutError):
                        raise
                except openai.InternalServerError:
                    pass  # once more, for a server that stumbles
                await asyncio.sleep(RETRY_PAUSE_S)
                return await self._ask(self._client, request, on_text)
        except TimeoutError:
            failure = Failure(
                _("{server} did not send its text in time.").format(server=self._endpoint.server)
            )
        except openai.OpenAIError as error:
            failure = failure_of(error, self._endpoint, model=self._model, model_setting=MODEL_SETTING)
        except ValueError:  # what the server sent is not its protocol, nor any other
            failure = Failure(
                _("{server} sent an answer that makes no sense.").format(server=self._endpoint.server)
            )
        raise ServerFailed(failure.message, hint=failure.hint, rest_s=failure.rest_s)

    def _request(self, model: str, wav: bytes, context: Context, expect: Expect) -> dict[str, Any]:
        request: dict[str, Any] = {
            "file": ("speech.wav", wav, "audio/wav"),
            "model": model,
            "language": self.language,
        }
        if expect == "command":
            if prompt := hint(context, expect, self.language, MAX_PROMPT_CHARS):
                request["prompt"] = prompt
            if model.startswith(OPENAI_MODEL):  # the only one that knows the field
                request["keywords"] = list(names_of(context)[:MAX_KEYWORDS])
        return request

    async def _ask(
        self, client: openai.AsyncOpenAI, request: dict[str, Any], on_text: Callable[[str], None]
    ) -> str:
        import openai

        if not self._streams:
            answer: Any = await client.audio.transcriptions.create(**request)
            return _text_of(answer)
        try:
            stream = await client.audio.transcriptions.create(**request, stream=True)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if "stream" not in error.message.lower():
                raise
            self._streams = False  # it says that it cannot; it is not asked again
            return await self._ask(client, request, on_text)
        async with stream:
            if "event-stream" not in stream.response.headers.get("content-type", ""):
                # A server that does not know the field leaves it out, as whisper-1 does.
                return _text_of((await stream.response.aread()).decode("utf-8", "replace"))
            text, done = "", None
            try:
                async for event in stream:
                    kind = getattr(event, "type", "")  # a server may send what the client does not know
                    if kind == "transcript.text.delta":
                        text += str(getattr(event, "delta", ""))
                        on_text(text.strip())
                    elif kind == "transcript.text.done":
                        done = str(getattr(event, "text", text))
            except openai.APIConnectionError as error:
                raise self._broken_off() from error
        if done is None:
            raise self._broken_off()
        return done.strip()

    def _broken_off(self) -> ServerFailed:
        # Half a text is none: "delete cell three" may have been "three to five".
        return ServerFailed(
            _("The connection to {server} broke off in the middle of the text.").format(
                server=self._endpoint.server
            )
        )

    async def _offered(self, client: openai.AsyncOpenAI) -> str:
        """Return the model that a server offers for speech, when that is one."""
        names = [model.id async for model in client.models.list()]
        likely = [name for name in names if any(word in name.lower() for word in _SPEECH_WORDS)] or names
        if len(likely) == 1:
            return likely[0]
        if not likely:
            raise EngineUnavailable(
                _("The server at {server} offers no model.").format(server=self._endpoint.server),
                hint=_("Load a model there, or set {model_setting} to its name.").format(
                    model_setting=MODEL_SETTING
                ),
            )
        raise EngineUnavailable(
            _("The server at {server} offers several models, and none is chosen.").format(
                server=self._endpoint.server
            ),
            hint=_("Set {model_setting} to one of: {likely}.").format(
                model_setting=MODEL_SETTING, likely=", ".join(likely[:MAX_LISTED_MODELS])
            ),
        )


class OpenAIRecognition:
    """One utterance; see `Recognition`."""

    def __init__(
        self,
        engine: OpenAITranscriber,
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
        self._over = False
        self._asking: asyncio.Task[str] | None = None

    def feed(self, pcm: bytes) -> None:
        """Add PCM; see `Recognition.feed`."""
        if not self._over:
            self._recording.feed(pcm)

    async def finish(self) -> Transcript:
        """Send the sound and return its text; see `Recognition.finish`."""
        finished_at = time.perf_counter()
        if self._over:
            raise _thrown_away()
        self._over = True
        try:
            text = ""
            if self._recording.audio_s:
                asking = self._engine.transcribe(self._recording.wav, self._context, self._expect, self._show)
                self._asking = asyncio.ensure_future(asking)
                await asyncio.wait({self._asking})
                if self._asking.cancelled():
                    raise _thrown_away()
                text = self._asking.result()
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
        self._recording.clear()
        self._engine.forget(self)
        if self._asking is not None:
            self._asking.cancel()

    def _show(self, text: str) -> None:
        if self._on_partial is not None and text:
            self._on_partial(text)


def _text_of(answer: Any) -> str:
    """Return the text of an answer in one piece: as the client's object, as JSON, or as nothing but text.

    Raises:
        ValueError: there is none in it.
    """
    if isinstance(answer, str):
        if not answer.lstrip().startswith("{"):
            return answer.strip()  # some servers know only `response_format=text`
        answer = json.loads(answer)
    text = answer.get("text") if isinstance(answer, dict) else getattr(answer, "text", None)
    if not isinstance(text, str):
        raise ValueError("no text")
    return text.strip()


def _thrown_away() -> SpeechError:
    return SpeechError(_("The recording was thrown away."))
