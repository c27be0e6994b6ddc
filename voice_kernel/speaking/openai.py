"""The `openai` voice: `/v1/audio/speech` of OpenAI, or of any server with its interface.

The words of every answer go to that server; nothing else does. Sound is passed on as it comes. It does not
know what happens when the server fails: see `answering`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from voice_kernel.endpoint import Endpoint, failure_of
from voice_kernel.errors import SpeechError, VoiceUnavailable
from voice_kernel.language import _

if TYPE_CHECKING:
    import openai

RATE_HZ = 24_000
"""Of `response_format: pcm`. Source: OpenAI's guide to text to speech."""
MODEL, VOICE = "gpt-4o-mini-tts", "alloy"
MODEL_SETTING = "VOICE_KERNEL_VOICE_MODEL"
CHUNK_BYTES = RATE_HZ * 2 // 5
"""0.2 s: small enough to be heard soon, large enough not to flood the page with messages."""
SILENCE_S = 8.0


class OpenAIVoice:
    """A voice behind a server. Creating it costs nothing, and nothing is sent before it is to speak.

    Args:
        endpoint: the server.
        model: which model speaks; empty for the usual one.
        voice: which voice; empty for the usual one.
    """

    name = "openai"
    rate_hz = RATE_HZ

    def __init__(self, endpoint: Endpoint, *, model: str = "", voice: str = "") -> None:
        self._endpoint = endpoint
        self._model = model or MODEL
        self._voice = voice or VOICE
        self._client: openai.AsyncOpenAI | None = None

    @property
    def loaded(self) -> bool:
        """Whether the client is there."""
        return self._client is not None

    async def load(self) -> None:
        """Import the client; see `Voice.load`. Whether the server answers is known when it is asked."""
        if self._client is not None:
            return
        if self._endpoint.is_openai and not self._endpoint.api_key:
            raise VoiceUnavailable(
                _("OpenAI's voice needs an API key."),
                hint=_("Set {key_setting}, or choose another voice.").format(
                    key_setting=self._endpoint.key_setting
                ),
            )
        try:
            client = await self._endpoint.client(silence_s=SILENCE_S)
        except ImportError:
            raise VoiceUnavailable(
                _("OpenAI's voice is not installed."), hint=_('Run: pip install "voice-kernel[model]"')
            ) from None
        self._client = self._client or client

    async def speak(self, text: str, *, rate: float = 1.0) -> AsyncGenerator[bytes, None]:
        """Speak a piece of text; see `Voice.speak`."""
        await self.load()
        assert self._client is not None
        import openai

        odd = b""
        try:
            async with self._client.audio.speech.with_streaming_response.create(
                model=self._model, voice=self._voice, input=text, response_format="pcm", speed=rate
            ) as response:
                async for chunk in response.iter_bytes(CHUNK_BYTES):
                    whole = odd + chunk
                    cut = len(whole) - len(whole) % 2
                    odd = whole[cut:]
                    if cut:
                        yield whole[:cut]
        except openai.OpenAIError as error:
            failure = failure_of(error, self._endpoint, model=self._model, model_setting=MODEL_SETTING)
            kind = SpeechError if failure.passing else VoiceUnavailable
            raise kind(failure.message, hint=failure.hint, retryable=failure.passing) from None

    async def close(self) -> None:
        """Close the client; see `Voice.close`."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()
