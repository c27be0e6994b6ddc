"""The `openai` engine: the real client against a server on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from openai_server import OpenAIServer, Reply, serve

from voice_kernel.context import Context, Variable
from voice_kernel.endpoint import Endpoint
from voice_kernel.errors import AudioError, EngineUnavailable, ServerFailed, SpeechError
from voice_kernel.speech.openai import OpenAITranscriber
from voice_kernel.speech.transcriber import Transcript

KEY = "sk-test-0123456789abcdef"
LIMIT_S = 60.0
SOUND = b"\x10\x00\xf0\xff" * 8_000
"""One second at 16 kHz."""


@pytest.fixture(scope="session", autouse=True)
def _client() -> None:
    """Import the client outside the tests' time limits."""
    import openai  # noqa: F401


@pytest.fixture(scope="module")
def _one_server() -> Iterator[OpenAIServer]:
    with serve() as server:
        yield server


@pytest.fixture
def server(_one_server: OpenAIServer) -> OpenAIServer:
    _one_server.reset()
    _one_server.key = KEY
    return _one_server


@pytest.fixture
async def ear(server: OpenAIServer) -> AsyncIterator[OpenAITranscriber]:
    engine = OpenAITranscriber(Endpoint(server.url, KEY), model="whisper-large", silence_s=LIMIT_S)
    yield engine
    await engine.close()


async def hear(engine: OpenAITranscriber, partials: list[str] | None = None, **how: object) -> Transcript:
    on_partial = None if partials is None else partials.append
    recognition = engine.open(rate_hz=16_000, on_partial=on_partial, **how)  # type: ignore[arg-type]
    recognition.feed(SOUND)
    async with asyncio.timeout(LIMIT_S):
        return await recognition.finish()


async def test_an_utterance_is_sent_when_it_is_over_and_comes_back_as_text(
    ear: OpenAITranscriber, server: OpenAIServer
) -> None:
    partials: list[str] = []
    recognition = ear.open(rate_hz=16_000, on_partial=partials.append)
    recognition.feed(SOUND[:100])
    recognition.feed(SOUND[100:])
    assert server.seen == []
    transcript = await recognition.finish()
    assert transcript.text == "run the tests"
    assert (transcript.engine, transcript.audio_s) == ("openai", 1.0)
    assert partials == ["run", "run the", "run the tests"]
    [recording] = server.recordings
    assert recording["bytes"] == len(SOUND) + 44
    assert recording["language"] == "en"
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


async def test_the_words_of_the_notebook_are_named_to_the_server(
    ear: OpenAITranscriber, server: OpenAIServer
) -> None:
    context = Context(variables=(Variable("revenue_df", "DataFrame", columns=("month",)),))
    await hear(ear, context=context)
    assert "revenue_df" in server.recordings[0]["prompt"]
    assert "keywords[]" not in server.recordings[0]
    newer = OpenAITranscriber(Endpoint(server.url, KEY), model="gpt-transcribe", language="de")
    await hear(newer, context=context)
    await newer.close()
    assert "revenue_df" in server.recordings[1]["keywords[]"]
    prompt = server.recordings[1]["prompt"]
    assert "Zeige revenue_df." in prompt
    assert "Run" not in prompt  # no English sentences before German
    assert server.recordings[1]["language"] == "de"


async def test_where_there_are_no_sentences_in_a_language_the_names_stand_alone(server: OpenAIServer) -> None:
    french = OpenAITranscriber(Endpoint(server.url, KEY), language="fr")
    await hear(french, context=Context(variables=(Variable("revenue_df", "DataFrame", columns=("month",)),)))
    await french.close()
    assert server.recordings[0]["prompt"] == "revenue_df, month"


async def test_dictation_is_not_bent_towards_commands(ear: OpenAITranscriber, server: OpenAIServer) -> None:
    await hear(ear, expect="dictation")
    assert "prompt" not in server.recordings[0]


async def test_a_server_that_does_not_stream_is_understood(
    ear: OpenAITranscriber, server: OpenAIServer
) -> None:
    server.streams = False
    assert (await hear(ear)).text == "run the tests"


async def test_a_server_that_refuses_to_stream_is_asked_again_without(
    ear: OpenAITranscriber, server: OpenAIServer
) -> None:
    server.hears(Reply(status=400, error={"message": "unknown field: stream"}))
    assert (await hear(ear)).text == "run the tests"
    assert (await hear(ear)).text == "run the tests"
    assert [recording.get("stream") for recording in server.recordings] == ["true", None, None]


async def test_the_one_model_for_speech_that_a_server_offers_is_used(server: OpenAIServer) -> None:
    server.models = ["llama-8b", "Systran/faster-whisper-small"]
    engine = OpenAITranscriber(Endpoint(server.url, KEY))
    await hear(engine)
    await engine.close()
    assert server.recordings[0]["model"] == "Systran/faster-whisper-small"


async def test_with_several_models_one_must_be_chosen(server: OpenAIServer) -> None:
    server.models = ["whisper-1", "whisper-2"]
    engine = OpenAITranscriber(Endpoint(server.url, KEY))
    with pytest.raises(EngineUnavailable, match="several models") as raised:
        await hear(engine)
    await engine.close()
    assert "whisper-1, whisper-2" in raised.value.hint


@pytest.mark.parametrize(
    ("reply", "message", "hint", "rests"),
    [
        (Reply(status=429, headers={"retry-after": "7"}), "limits how often", "in 7 s", 7),
        (Reply(status=429, error={"code": "insufficient_quota"}), "no credit", "billing", 60),
        (Reply(status=403), "does not let this API key use", "permissions", 60),
        (Reply(status=404), "no model named whisper-large", "VOICE_KERNEL_TRANSCRIPTION_MODEL", 60),
        (Reply(status=413), "as long as this one", "shorter", 0),
        (Reply(status=418, error={"message": f"not with {KEY}"}), r"refused the request \(418\)", "", 0),
        (Reply(text="run the tests", end_after=2), "broke off in the middle", "", 0),
        (Reply(text="run the tests", cut_after=2), "broke off in the middle", "", 0),
        (Reply(text="run", failed="the machine is on fire"), "reported an error.*on fire", "", 0),
        (Reply(garbage="<html>"), "makes no sense", "", 0),
    ],
)
async def test_what_goes_wrong_is_said_in_words(
    ear: OpenAITranscriber, server: OpenAIServer, reply: Reply, message: str, hint: str, rests: float
) -> None:
    server.hears(reply)
    with pytest.raises(ServerFailed, match=message) as raised:
        await hear(ear)
    assert hint in raised.value.hint
    assert raised.value.rest_s == rests
    assert KEY not in str(raised.value)
    assert (await hear(ear)).text == "run the tests", "the next utterance is heard as ever"


async def test_a_wrong_key_is_said_without_the_key(server: OpenAIServer) -> None:
    engine = OpenAITranscriber(Endpoint(server.url, "sk-wrong-0123456789", key_setting="THE_KEY"), model="m")
    with pytest.raises(ServerFailed, match="did not accept the API key") as raised:
        await hear(engine)
    await engine.close()
    assert raised.value.hint == "Check THE_KEY."
    assert "sk-wrong" not in str(raised.value)


async def test_a_server_that_stumbles_is_asked_once_more(
    ear: OpenAITranscriber, server: OpenAIServer
) -> None:
    server.hears(Reply(status=503), "plot the data")
    assert (await hear(ear)).text == "plot the data"
    server.hears(Reply(status=503), Reply(status=503), "never heard")
    with pytest.raises(ServerFailed, match=r"a problem of its own \(503\)"):
        await hear(ear)


async def test_a_server_that_falls_silent_is_given_up(server: OpenAIServer) -> None:
    engine = OpenAITranscriber(Endpoint(server.url, KEY), model="m", silence_s=0.2)
    server.hears(Reply(text="run the tests", hold_after=1))
    with pytest.raises(ServerFailed):
        await hear(engine)
    server.release.set()
    await engine.close()


async def test_a_server_that_is_not_there_is_said() -> None:
    engine = OpenAITranscriber(Endpoint("http://127.0.0.1:9/v1", KEY), model="m")
    with pytest.raises(ServerFailed, match=r"127\.0\.0\.1:9 cannot be reached") as raised:
        await hear(engine)
    assert "VOICE_KERNEL_SPEECH_URL" in raised.value.hint
    await engine.close()


async def test_openai_without_a_key_is_unavailable_and_nothing_is_sent() -> None:
    with pytest.raises(EngineUnavailable, match="wants an API key") as raised:
        await OpenAITranscriber(Endpoint()).load()
    assert raised.value.hint == "Set OPENAI_API_KEY."


async def test_a_discarded_utterance_is_never_sent(ear: OpenAITranscriber, server: OpenAIServer) -> None:
    recognition = ear.open(rate_hz=16_000)
    recognition.feed(SOUND)
    recognition.discard()
    with pytest.raises(SpeechError, match="thrown away"):
        await recognition.finish()
    await hear(ear)
    assert len(server.seen) == 1  # what came after it


async def test_cancelling_the_wait_hangs_up(ear: OpenAITranscriber, server: OpenAIServer) -> None:
    server.hears(Reply(text="run the tests", hold_after=1))
    hearing = asyncio.ensure_future(hear(ear))
    assert await asyncio.to_thread(server.holding.wait, LIMIT_S)
    hearing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hearing
    assert await asyncio.to_thread(server.hung_up.wait, LIMIT_S)


async def test_closing_the_engine_ends_the_wait(ear: OpenAITranscriber, server: OpenAIServer) -> None:
    server.hears(Reply(text="run the tests", hold_after=1))
    hearing = asyncio.ensure_future(hear(ear))
    assert await asyncio.to_thread(server.holding.wait, LIMIT_S)
    await ear.close()
    with pytest.raises(SpeechError, match="thrown away"):
        await hearing


async def test_nothing_fed_is_nothing_heard_and_nothing_sent(
    ear: OpenAITranscriber, server: OpenAIServer
) -> None:
    transcript = await ear.open(rate_hz=16_000).finish()
    assert (transcript.text, server.seen) == ("", [])


async def test_half_a_sample_is_an_error(ear: OpenAITranscriber) -> None:
    recognition = ear.open(rate_hz=16_000)
    recognition.feed(b"\x00" * 3)
    with pytest.raises(AudioError, match="middle of a sample"):
        await recognition.finish()


async def test_neither_key_nor_sound_nor_text_is_logged(
    ear: OpenAITranscriber, server: OpenAIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.hears("plot the secret plan", Reply(status=400, error={"message": "no"}))
    context = Context(variables=(Variable("hidden_frame", "DataFrame"),))
    await hear(ear, context=context)
    with pytest.raises(ServerFailed):
        await hear(ear)
    for word in (KEY, "secret plan", "hidden_frame", "RIFF", r"\xf0\xff"):
        assert word not in caplog.text


@pytest.mark.parametrize(
    ("given", "http", "realtime"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1", "ws://127.0.0.1:8000/v1/realtime"),
        ("wss://speech.example/v1/realtime", "https://speech.example/v1", "wss://speech.example/v1/realtime"),
    ],
)
def test_one_address_serves_both_interfaces(given: str, http: str, realtime: str) -> None:
    endpoint = Endpoint(given)
    assert (endpoint.http_url, endpoint.realtime_url) == (http, realtime)
