"""A gate between the browser and the network, for those who list which hosts may be reached.

Whatever a page asks for passes it: redirects, frames, workers and sockets too, of which a script's view of
the requests would miss some. It is a small HTTP proxy on loopback that looks at names and at the addresses
they resolve to, and opens nothing else. It reads no page: what is encrypted stays so.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from voice_kernel.errors import VoiceKernelError

MAX_HEAD_BYTES = 64 * 1024
CONNECT_S = 15.0
HEAD_S = 30.0
MAX_CONNECTIONS = 256
BLOCK_BYTES = 64 * 1024
REFUSED = b"That host is not allowed by the settings of voice_kernel (allowed_hosts, denied_hosts)."
DROPPED = (b"proxy-connection", b"connection", b"keep-alive", b"proxy-authorization")


class Fence:
    """The gate.

    Args:
        check: raises for an address that must not be reached.
        check_ip: raises for one that a name has resolved to.
    """

    def __init__(self, check: Callable[[str], object], check_ip: Callable[[str], object]) -> None:
        self._check = check
        self._check_ip = check_ip
        self._server: asyncio.Server | None = None
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)

    async def start(self) -> str:
        """Open it; returns its address."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Close it; connections end with the browser that holds them."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._places:
            try:
                await self._pass(reader, writer)
            except (
                OSError,
                TimeoutError,
                ValueError,
                asyncio.IncompleteReadError,
                asyncio.LimitOverrunError,
            ):
                pass  # one end has gone, or has sent what is no request
            finally:
                writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HEAD_S):
            head = await reader.readuntil(b"\r\n\r\n")
        first, *fields = head[:-4].split(b"\r\n")
        method, target, version = first.split(b" ", 2)
        tunnel = method == b"CONNECT"
        url = f"https://{target.decode('ascii')}/" if tunnel else target.decode("ascii")
        scheme, _, rest = url.partition("://")
        place, slash, path = rest.partition("/")
        try:
            self._check(url)
            async with asyncio.timeout(CONNECT_S):
                there, back = await self._connect(place, 443 if scheme == "https" else 80, scheme)
        except VoiceKernelError:
            await _answer(writer, b"403 Forbidden", REFUSED)
            return
        except (OSError, TimeoutError):
            await _answer(writer, b"502 Bad Gateway", b"Nothing answers at that address.")
            return
        try:
            if tunnel:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                # One request for each connection: the next may go to another host.
                kept = [line for line in fields if line.partition(b":")[0].lower() not in DROPPED]
                upgrade = any(line.lower().startswith(b"upgrade:") for line in kept)
                kept.append(b"Connection: " + (b"Upgrade" if upgrade else b"close"))
                start = b" ".join((method, (slash + path).encode("ascii") or b"/", version))
                back.write(b"\r\n".join((start, *kept, b"", b"")))
            await _both(_copy(reader, back), _copy(there, writer))
        finally:
            back.close()

    async def _connect(
        self, place: str, port: int, scheme: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, colon, number = place.rpartition(":")
        if not colon or not number.isdigit():
            host, number = place, str(port)
        there, back = await asyncio.open_connection(host.strip("[]"), int(number))
        ip = str(back.get_extra_info("peername")[0])
        try:
            self._check_ip(f"{scheme}://{f'[{ip}]' if ':' in ip else ip}:{number}/")
        except VoiceKernelError:
            back.close()
            raise
        return there, back


async def _both(asked: Coroutine[Any, Any, None], answered: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(asked), asyncio.ensure_future(answered)]
    try:
        # The answer ends the connection; the end of the question does not.
        await tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _answer(writer: asyncio.StreamWriter, status: bytes, text: bytes) -> None:
    writer.write(
        b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
        % (status, len(text), text)
    )
    await writer.drain()
