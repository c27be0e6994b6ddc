"""Fetch what is at an address: bounded in bytes, time and redirects, and never out of reach.

Knows HTTP, not what a page says. Every connection goes through `Guard`, which looks at the address a name
resolves to before it connects. Decompression is bounded here and not left to a library, since a small
answer may unpack to gigabytes.
"""

from __future__ import annotations

import asyncio
import json
import socket
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voice_kernel.errors import AddressRefused, WebError
from voice_kernel.language import N_, _
from voice_kernel.version import __version__
from voice_kernel.web.addresses import Address, Reach, address_of

if TYPE_CHECKING:
    import httpcore

MAX_BYTES = 8 * 1024**2
"""Of a decompressed answer: more than nearly every article and most papers."""
MAX_REDIRECTS = 5
CONNECT_S = 10.0
TOTAL_S = 30.0
MAX_CONNECTIONS = 8
USER_AGENT = f"voice_kernel/{__version__} (a person's assistant; robots.txt name: voice_kernel)"


class StatusError(WebError):
    """A server answered with an error of HTTP; `status` is its number."""

    def __init__(self, message: str, *, hint: str, status: int) -> None:
        super().__init__(message, hint=hint, retryable=status >= 500 or status == 429)
        self.status = status


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer."""

    address: Address
    """Where it came from in the end."""
    status: int
    content_type: str
    """Without parameters, in small letters; empty when the server gave none."""
    charset: str
    """As the server said; empty when it said none."""
    body: bytes
    cut: bool
    """Whether it was longer than the limit."""


class Fetcher:
    """Fetches within a reach.

    Args:
        reach: which hosts may be reached.
        max_bytes: most bytes kept of a decompressed answer.
        total_s: limit of one fetch, redirects included.
        proxy: address of the proxy that all requests go through; empty for none.
    """

    def __init__(
        self, reach: Reach, *, max_bytes: int = MAX_BYTES, total_s: float = TOTAL_S, proxy: str = ""
    ) -> None:
        self.reach = reach
        self._max_bytes = max_bytes
        self._total_s = total_s
        self._proxy = proxy
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def get(self, address: Address, *, headers: Mapping[str, str] | None = None) -> Fetched:
        """Fetch an address, following redirects.

        Raises:
            WebError: it could not be had; says why and what to do.
            AddressRefused: it, or a redirect of it, is out of reach.
        """
        try:
            async with asyncio.timeout(self._total_s):
                return await self._follow(address, dict(headers or {}))
        except TimeoutError:
            raise WebError(
                _("{host} took longer than {limit_s:.0f} seconds.").format(
                    host=address.host, limit_s=self._total_s
                ),
                hint=_("Try again later."),
                retryable=True,
            ) from None

    async def json(
        self,
        address: Address,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask an interface that answers in JSON; with a body it is posted. No redirects.

        Raises:
            WebError: it did not answer with JSON; `status` in the message.
        """
        sent = {"accept": "application/json", **(headers or {})}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        try:
            async with asyncio.timeout(self._total_s):
                status, _headers, data, cut = await self._once(address, sent, content)
        except TimeoutError:
            raise WebError(
                _("{host} did not answer in time.").format(host=address.host), retryable=True
            ) from None
        if status >= 400:
            raise status_error(address, status)
        try:
            return None if cut else json.loads(data)
        except ValueError:
            raise WebError(_("{host} did not answer with JSON.").format(host=address.host)) from None

    async def close(self) -> None:
        """Close all connections; a second call does nothing."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    async def _follow(self, address: Address, headers: dict[str, str]) -> Fetched:
        for _hop in range(MAX_REDIRECTS + 1):
            status, got, body, cut = await self._once(address, headers, None)
            if status in (301, 302, 303, 307, 308) and got.get("location"):
                address = address_of(got["location"], address.url)
                continue
            if status >= 400:
                raise status_error(address, status)
            content_type, _semicolon, rest = got.get("content-type", "").partition(";")
            charset = rest.lower().partition("charset=")[2].strip(" \"'").partition(";")[0]
            return Fetched(address, status, content_type.strip().lower(), charset, body, cut)
        raise WebError(
            _("{host} sends from one address to the next without end.").format(host=address.host),
            hint=_("Open it in the browser to see what it wants."),
        )

    async def _once(
        self, address: Address, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, dict[str, str], bytes, bool]:
        import httpcore

        self.reach.check_name(address)
        sent = {
            "host": address.origin.partition("://")[2],
            "user-agent": USER_AGENT,
            "accept": "text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.5",
            "accept-encoding": "gzip, deflate",
            **headers,
        }
        if content is not None:
            sent["content-length"] = str(len(content))
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), CONNECT_S)
        try:
            async with self._connections().stream(
                "GET" if content is None else "POST",
                address.url,
                headers=[(name.encode(), value.encode("latin-1", "replace")) for name, value in sent.items()],
                content=content,
                extensions={"timeout": timeouts},
            ) as response:
                got = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                body, cut = await _bounded(
                    response.aiter_stream(), got.get("content-encoding", ""), self._max_bytes
                )
                return response.status, got, body, cut
        except httpcore.TimeoutException:
            raise WebError(
                _("{host} did not answer in time.").format(host=address.host),
                hint=_("Try again later."),
                retryable=True,
            ) from None
        except (httpcore.NetworkError, httpcore.ProxyError, OSError) as error:
            raise WebError(
                _("{host} cannot be reached{why}.").format(host=address.host, why=_why(error)),
                hint=_("Is the address right, and is there a network?"),
                retryable=True,
            ) from None
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError):
            raise WebError(_("{host} does not speak proper HTTP.").format(host=address.host)) from None
        except zlib.error:
            raise WebError(
                _("What {host} sent is broken: it cannot be unpacked.").format(host=address.host)
            ) from None

    def _connections(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            import ssl

            import httpcore

            options: dict[str, Any] = {
                "ssl_context": ssl.create_default_context(),
                "max_connections": MAX_CONNECTIONS,
                "keepalive_expiry": 15.0,
            }
            if self._proxy:
                # The proxy connects for us: names are checked by then, what they resolve to is its affair.
                self._pool = httpcore.AsyncHTTPProxy(self._proxy, **options)
            else:
                self._pool = httpcore.AsyncConnectionPool(network_backend=_guard(self.reach), **options)
        return self._pool


def status_error(address: Address, status: int) -> StatusError:
    """Return what an answer of 400 or above means to a person."""
    other = (
        _("{host} has a problem of its own ({status}).") if status >= 500 else _("{host} refuses ({status}).")
    )
    message = {
        401: _("{host} wants a login ({status})."),
        403: _("{host} does not let programs read this ({status})."),
        404: _("{host} has no such page ({status})."),
        410: _("{host} has removed the page ({status})."),
        429: _("{host} wants us to slow down ({status})."),
    }.get(status, other)
    hint = _("Open it in the browser.") if status in (401, 403) else ""
    return StatusError(message.format(host=address.host, status=status), hint=hint, status=status)


def _guard(reach: Reach) -> httpcore.AsyncNetworkBackend:
    import httpcore

    class Guard(httpcore.AsyncNetworkBackend):
        """Connects only to addresses within reach, and to the very address that was looked at."""

        def __init__(self) -> None:
            self._inner = httpcore.AnyIOBackend()

        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,  # noqa: ASYNC109  the interface's own
            local_address: str | None = None,
            socket_options: Iterable[Any] | None = None,
        ) -> httpcore.AsyncNetworkStream:
            problem: Exception | None = None
            for ip in await _resolve(host, port, timeout):
                try:
                    reach.check_ip(host, port, ip)
                    return await self._inner.connect_tcp(ip, port, timeout, local_address, socket_options)
                except (AddressRefused, httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    problem = problem or error
            raise problem or httpcore.ConnectError(_("it has no address"))

        async def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
            raise httpcore.UnsupportedProtocol("no sockets of this machine")

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds)

    return Guard()


async def _resolve(host: str, port: int, limit_s: float | None) -> list[str]:
    import httpcore

    try:
        async with asyncio.timeout(limit_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise httpcore.ConnectTimeout(_("looking the name up took too long")) from None
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(_("there is no such host")) from error
    return list(dict.fromkeys(str(info[4][0]) for info in found))


async def _bounded(pieces: AsyncIterator[bytes], encoding: str, limit: int) -> tuple[bytes, bool]:
    """Read, and unpack, at most `limit` bytes; the second value says whether there was more."""
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise ValueError(f"unknown encoding {encoding[:20]}")
    unpack = zlib.decompressobj(47) if encoding not in ("", "identity") else None
    body = bytearray()
    first = True
    async for piece in pieces:
        if unpack is None:
            body += piece[: limit + 1 - len(body)]
        else:
            if first and encoding == "deflate" and piece and piece[0] & 0x0F != 8:
                unpack = zlib.decompressobj(-15)  # without its header, as some servers send it
            body += unpack.decompress(piece, limit + 1 - len(body))
        first = False
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False


def _why(error: BaseException) -> str:
    text = str(error)
    return f": {_(text)}" if text in (N_("there is no such host"), N_("it has no address")) else ""
