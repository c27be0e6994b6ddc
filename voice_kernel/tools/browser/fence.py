"""A gate between the browser and the network, for those who list which hosts may be reached.

Whatever a page asks for passes it: redirects, frames, workers and sockets too, of which a script's view of
the requests would miss some. It is a small HTTP proxy on loopback that looks at names and at the addresses
they resolve to, and opens nothing else. It reads no page: what is encrypted stays so. Where the environment
names a proxy (`https_proxy`, `no_proxy`), it goes through that one, which then resolves the names.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import urllib.request
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from voice_kernel.errors import VoiceKernelError

MAX_HEAD_BYTES = 64 * 1024
CONNECT_S = 15.0
HEAD_S = 30.0
MAX_CONNECTIONS = 256
BLOCK_BYTES = 64 * 1024
REFUSED = b"That host is not allowed by the settings of voice_kernel (allowed_hosts, denied_hosts)."
DROPPED = (b"proxy-connection", b"connection", b"keep-alive", b"proxy-authorization")


def environment_proxy(scheme: str, host: str) -> str:
    """Return the proxy that the environment names for a host; empty for none."""
    if urllib.request.proxy_bypass(host):
        return ""
    proxies = urllib.request.getproxies()
    return proxies.get(scheme) or proxies.get("all") or ""


class Fence:
    """The gate.

    Args:
        check: raises for an address that must not be reached.
        check_ip: raises for one that a name has resolved to.
        proxy_for: gives the proxy for a scheme and a host; empty for none.
    """

    def __init__(
        self,
        check: Callable[[str], object],
        check_ip: Callable[[str], object],
        proxy_for: Callable[[str, str], str] = environment_proxy,
    ) -> None:
        self._check = check
        self._check_ip = check_ip
        self._proxy_for = proxy_for
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
        host, port = _host_and_port(place, 443 if scheme == "https" else 80)
        try:
            self._check(url)
            proxy = self._proxy_for(scheme, host)
            async with asyncio.timeout(CONNECT_S):
                if proxy:
                    there, back = await _through(urlsplit(proxy), host, port, tunnel=tunnel)
                else:
                    there, back = await self._connect(host, port, scheme)
        except VoiceKernelError:
            await _answer(writer, b"403 Forbidden", REFUSED)
            return
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            await _answer(writer, b"502 Bad Gateway", b"Nothing answers at that address.")
            return
        try:
            if tunnel:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                # One request for each connection: the next may go to another host.
                kept = [line for line in fields if line.partition(b":")[0].lower() not in DROPPED]
                if proxy:
                    kept += _credentials(urlsplit(proxy))
                upgrade = any(line.lower().startswith(b"upgrade:") for line in kept)
                kept.append(b"Connection: " + (b"Upgrade" if upgrade else b"close"))
                asked = target if proxy else (slash + path).encode("ascii") or b"/"
                back.write(b"\r\n".join((b" ".join((method, asked, version)), *kept, b"", b"")))
            await _both(_copy(reader, back), _copy(there, writer))
        finally:
            back.close()

    async def _connect(
        self, host: str, port: int, scheme: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        there, back = await asyncio.open_connection(host, port)
        ip = str(back.get_extra_info("peername")[0])
        try:
            self._check_ip(f"{scheme}://{f'[{ip}]' if ':' in ip else ip}:{port}/")
        except VoiceKernelError:
            back.close()
            raise
        return there, back


async def _through(
    proxy: SplitResult, host: str, port: int, *, tunnel: bool
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a proxy, and through it where what follows is encrypted.

    Raises:
        OSError: it does not answer, says no, or speaks something else than HTTP.
    """
    if proxy.scheme not in ("http", "https") or not proxy.hostname:
        raise OSError(f"a proxy of the kind {proxy.scheme}")
    encrypted = proxy.scheme == "https"
    there, back = await asyncio.open_connection(
        proxy.hostname, proxy.port or (443 if encrypted else 80), ssl=encrypted or None, limit=MAX_HEAD_BYTES
    )
    try:
        if tunnel:
            name = f"[{host}]" if ":" in host else host
            place = f"{name}:{port}".encode("ascii")
            lines = (b"CONNECT " + place + b" HTTP/1.1", b"Host: " + place, *_credentials(proxy), b"", b"")
            back.write(b"\r\n".join(lines))
            head = await there.readuntil(b"\r\n\r\n")
            if head.split(b" ", 2)[1:2] != [b"200"]:
                raise OSError("the proxy said no")
    except BaseException:
        back.close()
        raise
    return there, back


def _credentials(proxy: SplitResult) -> list[bytes]:
    if not proxy.username:
        return []
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return [b"Proxy-Authorization: Basic " + base64.b64encode(pair)]


def _host_and_port(place: str, port: int) -> tuple[str, int]:
    host, colon, number = place.rpartition(":")
    if not colon or not number.isdigit():
        host, number = place, str(port)
    return host.strip("[]"), int(number)


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
