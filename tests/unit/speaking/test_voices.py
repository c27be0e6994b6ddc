"""The voices of the kernel: the local one is the real one, the server a real one on loopback."""

from __future__ import annotations

import asyncio
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from voice_kernel.endpoint import Endpoint
from voice_kernel.errors import SpeechError, VoiceUnavailable
from voice_kernel.speaking.local import LocalVoice
from voice_kernel.speaking.openai import OpenAIVoice
from voice_kernel.speaking.voice import Voice

LIMIT_S = 60.0


async def sound_of(voice: Voice, text: str, rate: float = 1.0) -> list[bytes]:
    async with asyncio.timeout(LIMIT_S):
        return [pcm async for pcm in voice.speak(text, rate=rate)]


def samples(pcm: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(pcm) // 2}h", pcm)


async def test_the_local_voice_speaks_without_silence_around_it() -> None:
    pytest.importorskip("hibari")
    voice = LocalVoice()
    assert not voice.loaded
    (pcm,) = await sound_of(voice, "Ran cell 3.")
    assert voice.loaded
    heard = samples(pcm)
    assert 0.4 < len(heard) / voice.rate_hz < 3.0
    assert max(map(abs, heard)) > 5_000
    first = next(at for at, sample in enumerate(heard) if abs(sample) > 100)
    assert first / voice.rate_hz < 0.05
    (slow,) = await sound_of(voice, "Ran cell 3.", 0.5)
    assert len(slow) > len(pcm) * 1.5
    assert await sound_of(voice, "  ") == []
    await voice.close()
    with pytest.raises(SpeechError, match="closed"):
        await sound_of(voice, "Again.")


async def test_a_local_voice_that_is_not_installed_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hibari", None)
    voice = LocalVoice()
    with pytest.raises(VoiceUnavailable, match="not installed") as caught:
        await voice.load()
    assert "voice-kernel[local]" in caught.value.hint
    await voice.close()


class Server:
    """As much of a server with OpenAI's interface as speaks: raw HTTP, chunk by chunk."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[bytes] = []
        self.pcm = struct.pack("<24001h", *range(-12_000, 12_001))  # odd chunks will come of it

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length")
        )
        self.asked.append(head + await reader.readexactly(length))
        if self.status != 200:
            body = b'{"error": {"message": "no sk-secret1234", "type": "x"}}'
            writer.write(
                b"HTTP/1.1 %d No\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                % (self.status, len(body), body)
            )
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ntransfer-encoding: chunked\r\n\r\n")
            for at in range(0, len(self.pcm), 7_777):
                piece = self.pcm[at : at + 7_777]
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[OpenAIVoice]:
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    voice = OpenAIVoice(Endpoint(f"http://127.0.0.1:{port}/v1", "sk-secret1234"), voice="coral")
    try:
        yield voice
    finally:
        await voice.close()
        listening.close()


async def test_a_server_speaks_and_its_sound_is_passed_on_as_it_comes() -> None:
    server = Server()
    async with serving(server) as voice:
        pieces = await sound_of(voice, "Ran cell 3.", 1.5)
    assert len(pieces) > 1
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert b"".join(pieces) == server.pcm
    asked = server.asked[0]
    assert asked.startswith(b"POST /v1/audio/speech ")
    for wanted in (b'"input":"Ran cell 3."', b'"voice":"coral"', b'"response_format":"pcm"', b'"speed":1.5'):
        assert wanted in asked.replace(b'": ', b'":')


@pytest.mark.parametrize(("status", "message"), [(401, "did not accept the API key"), (404, "does not")])
async def test_what_a_server_refuses_is_said_without_the_key(status: int, message: str) -> None:
    async with serving(Server(status)) as voice:
        with pytest.raises(VoiceUnavailable, match=message) as caught:
            await sound_of(voice, "Ran cell 3.")
    assert "secret" not in str(caught.value)


async def test_a_server_that_is_not_there_is_an_error_in_words() -> None:
    voice = OpenAIVoice(Endpoint("http://127.0.0.1:9/v1"))
    with pytest.raises(SpeechError, match="cannot be reached"):
        await sound_of(voice, "Ran cell 3.")
    await voice.close()


async def test_openai_without_a_key_is_not_asked() -> None:
    with pytest.raises(VoiceUnavailable, match="API key"):
        await OpenAIVoice(Endpoint()).load()
