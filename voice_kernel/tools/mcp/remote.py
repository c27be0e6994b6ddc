"""The way to a server that runs elsewhere: streamable HTTP, or SSE where it knows no better.

A remote server may name further addresses (redirects, where to sign in). From the public web they must not
lead into this machine or its network: a server that stands there itself may name its neighbours.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from voice_kernel.errors import AddressRefused
from voice_kernel.language import _, number
from voice_kernel.tools.mcp import stdio
from voice_kernel.tools.mcp.servers import Server
from voice_kernel.tools.mcp.signin import Tell, TokenShelf, sign_in
from voice_kernel.web.addresses import Reach, address_of, is_public

if TYPE_CHECKING:
    import httpx2

CONNECT_S = 30.0
MAX_ANSWER_BYTES = stdio.MAX_MESSAGE_BYTES
"""Of an answer that is one message. The SDK itself bounds the messages of a stream."""
READ_S = 300.0
"""Between two pieces of a stream: a server may think for long."""


@asynccontextmanager
async def streams(
    server: Server, url: str, headers: Mapping[str, str], shelf: TokenShelf, tell: Tell
) -> AsyncIterator[Any]:
    """Give the transport to a remote server, for an SDK client to enter.

    Args:
        server: how it is reached.
        url: its address, secrets in place.
        headers: sent with every request to it, secrets among them; with one for authorization nobody is
            asked to sign in.
        shelf: where the tokens of a sign-in are.
        tell: shows a person the page to sign in on.
    """
    import httpx2

    async with AsyncExitStack() as stack:
        auth: httpx2.Auth | None = None
        if not any(name.lower() == "authorization" for name in headers):
            auth = await stack.enter_async_context(sign_in(url, shelf, tell))
        fence = await _fence(url)
        own = address_of(url).origin

        async def prepare(request: httpx2.Request) -> None:
            await fence(request)
            request.headers["accept-encoding"] = "identity"  # a little may unpack to gigabytes
            # Only their own server may see the headers: not who signs people in, nor a redirect's target.
            if address_of(str(request.url)).origin == own:
                request.headers.update(headers)

        def client(
            headers: dict[str, str] | None = None,
            timeout: httpx2.Timeout | None = None,
            auth: httpx2.Auth | None = None,
        ) -> httpx2.AsyncClient:
            hooks: dict[str, list[Any]] = {"request": [prepare], "response": [_bound]}
            return httpx2.AsyncClient(
                headers=headers, timeout=timeout, auth=auth, event_hooks=hooks, follow_redirects=True
            )

        if server.transport == "http":
            from mcp.client.streamable_http import streamable_http_client

            http = client(timeout=httpx2.Timeout(CONNECT_S, read=READ_S), auth=auth)
            yield streamable_http_client(url, http_client=await stack.enter_async_context(http))
        else:
            from mcp.client.sse import sse_client

            yield sse_client(url, sse_read_timeout=READ_S, httpx_client_factory=client, auth=auth)


async def _bound(response: httpx2.Response) -> None:
    """Have the reading of an answer fail once it is longer than any may be."""
    import httpx2

    if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise httpx2.DecodingError(_("the server packs what it was asked not to pack"))
    if response.headers.get("content-type", "").lower().startswith("text/event-stream"):
        return
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    inner: httpx2.AsyncByteStream = response.stream

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = MAX_ANSWER_BYTES
            async for piece in inner:
                left -= len(piece)
                if left < 0:
                    raise httpx2.ReadError(
                        _("the server's answer is longer than {limit} bytes").format(
                            limit=number(MAX_ANSWER_BYTES)
                        )
                    )
                yield piece

        async def aclose(self) -> None:
            await inner.aclose()

    response.stream = Bounded()


async def _fence(url: str) -> Any:
    """Return what refuses requests to private addresses, unless the server itself is at one."""
    own = address_of(url)
    if not await _public(own.host, own.port):

        async def allow(_request: httpx2.Request) -> None:
            return

        return allow
    reach = Reach()

    async def check(request: httpx2.Request) -> None:
        address = address_of(str(request.url))
        reach.check_name(address)
        if not await _public(address.host, address.port):
            raise AddressRefused(
                _("the server leads to {host}, which is in a private network").format(host=address.host)
            )

    return check


async def _public(host: str, port: int) -> bool:
    """Whether a host is one of the public web, as far as its name can be resolved here."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return True  # a proxy may know it; a private address would be known here
    return all(is_public(str(one[4][0])) for one in found)
