"""Signing in to a remote server (OAuth 2.1): a page that a person opens, tokens that stay among the secrets.

The protocol is the SDK's. Ours is what belongs to this machine: an address on loopback to which the
authorization server sends the person back, where tokens are kept, and which addresses may be asked at all.

Source: MCP, authorization (2025-11-25); RFC 8252, OAuth 2.0 for native apps.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.web.addresses import address_of

if TYPE_CHECKING:
    import httpx2
    from mcp.client.auth import AuthorizationCodeResult
    from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

SIGN_IN_S = 300.0
"""A person has to find the page, and perhaps a password."""
OAUTH = "oauth"
"""Under this name a server's tokens and registration are kept among its secrets."""
PATH = "/callback"
MAX_REQUEST_BYTES = 16_384
PAGE = (
    "<!doctype html><meta charset=utf-8><title>voice_kernel</title>"
    "<p style='font:16px sans-serif;margin:3em'>{text}</p>"
)

Tell = Callable[[str], Awaitable[None]]
"""Shows a person the page to open; empty once that is over. Raises when nobody can be asked."""


class TokenShelf:
    """What the SDK keeps of a sign-in, as one secret of the server.

    Args:
        read: returns the secret, or None; blocking.
        write: keeps it; blocking.
    """

    def __init__(self, read: Callable[[], str | None], write: Callable[[str], None]) -> None:
        self._read = read
        self._write = write

    async def get_tokens(self) -> OAuthToken | None:
        """Return the tokens, if there are any."""
        from mcp.shared.auth import OAuthToken

        kept = (await self._kept()).get("tokens")
        return OAuthToken.model_validate(kept) if kept else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep tokens."""
        await self._keep(tokens=tokens.model_dump(mode="json", exclude_none=True))

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return how this client is registered, if it is."""
        from mcp.shared.auth import OAuthClientInformationFull

        kept = (await self._kept()).get("client")
        return OAuthClientInformationFull.model_validate(kept) if kept else None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep how this client is registered."""
        await self._keep(client=client_info.model_dump(mode="json", exclude_none=True))

    async def port(self) -> int:
        """Return the port this client is registered with; 0 when it is not."""
        for address in (await self._kept()).get("client", {}).get("redirect_uris", ()):
            with contextlib.suppress(ValueError):
                return urlsplit(address).port or 0
        return 0

    async def forget_client(self) -> None:
        """Forget the registration: another is needed."""
        await self._keep(client=None)

    async def _kept(self) -> dict[str, Any]:
        text = await asyncio.to_thread(self._read)
        with contextlib.suppress(ValueError):
            kept = json.loads(text or "{}")
            return kept if isinstance(kept, dict) else {}
        return {}

    async def _keep(self, **changes: Any) -> None:
        kept = await self._kept() | changes
        text = json.dumps({key: value for key, value in kept.items() if value is not None})
        await asyncio.to_thread(self._write, text)


@asynccontextmanager
async def sign_in(url: str, shelf: TokenShelf, tell: Tell) -> AsyncIterator[httpx2.Auth]:
    """Give what signs requests to a server, and signs a person in when the server asks for it.

    Args:
        url: the server's.
        shelf: where tokens are.
        tell: shows the page to open.
    """
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientMetadata

    answer: asyncio.Future[AuthorizationCodeResult] = asyncio.get_running_loop().create_future()
    state = ""

    async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            status, text = await _heard(reader, answer, state)
            body = PAGE.format(text=html.escape(text)).encode()
            kind = "text/html; charset=utf-8"
            head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        finally:
            writer.close()

    wanted = await shelf.port()
    try:
        listener = await asyncio.start_server(arrived, "127.0.0.1", wanted, limit=MAX_REQUEST_BYTES)
    except OSError:  # somebody else has the port by now
        await shelf.forget_client()
        listener = await asyncio.start_server(arrived, "127.0.0.1", 0, limit=MAX_REQUEST_BYTES)
    port = listener.sockets[0].getsockname()[1]

    async def show(page: str) -> None:
        nonlocal answer, state
        answer = asyncio.get_running_loop().create_future()
        state = parse_qs(urlsplit(page).query).get("state", [""])[0]
        await tell(_to_open(page))

    async def wait() -> AuthorizationCodeResult:
        try:
            async with asyncio.timeout(SIGN_IN_S):
                return await answer
        except TimeoutError:
            raise ToolError(
                _("nobody signed in within {minutes:.0f} minutes").format(minutes=SIGN_IN_S / 60)
            ) from None
        finally:
            await tell("")

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "voice_kernel",
            "redirect_uris": [f"http://127.0.0.1:{port}{PATH}"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        }
    )
    try:
        yield OAuthClientProvider(url, metadata, shelf, show, wait)
    finally:
        listener.close()


async def send_back(page: str, address: str) -> None:
    """Do what a browser on this machine would have done at the end: ask for the address it was sent back to.

    Args:
        page: where the person signed in.
        address: what stands in their browser now.

    Raises:
        ToolError: it is not the address that this sign-in leads back to, or nobody waits for it any more.
    """
    back = urlsplit(parse_qs(urlsplit(page).query).get("redirect_uri", [""])[0])
    given = urlsplit(address.strip())
    if not back.port or given[:3] != back[:3] or any(ord(character) < 33 for character in given.query):
        raise ToolError(
            _("That is not where this sign-in leads."),
            hint=_("Copy the whole address of the page that is not shown; it begins with {address}.").format(
                address=back.geturl()
            ),
        )
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", back.port)
            writer.write(f"GET {PATH}?{given.query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            status = (await reader.readline()).decode("latin-1").split()
            writer.close()
    except (OSError, TimeoutError):
        status = []
    if status[1:2] != ["200"]:
        raise ToolError(_("Nobody waits for this sign-in any more."), hint=_("Start the server again."))


async def _heard(
    reader: asyncio.StreamReader, answer: asyncio.Future[AuthorizationCodeResult], state: str
) -> tuple[str, str]:
    """Take the request of a browser that was sent back; returns a status line and what to tell the person."""
    from mcp.client.auth import AuthorizationCodeResult

    try:
        async with asyncio.timeout(10):
            line = (await reader.readline()).decode("latin-1")
            while (await reader.readline()).strip():
                pass
    except (TimeoutError, ValueError, ConnectionError):
        return "400 Bad Request", _("That was no request.")
    verb, _space, rest = line.partition(" ")
    target = urlsplit(rest.partition(" ")[0])
    given = {key: values[0] for key, values in parse_qs(target.query).items()}
    # Any page can send a browser here: only the one that was sent away comes back with its `state`.
    if verb != "GET" or target.path != PATH or answer.done() or given.get("state", "") != state:
        return "404 Not Found", _("Nothing is here.")
    if "code" not in given:
        answer.set_exception(ToolError(_("the sign-in was refused")))
        return "200 OK", _("The sign-in was refused. You can close this page.")
    answer.set_result(
        AuthorizationCodeResult(code=given["code"], state=given.get("state"), iss=given.get("iss"))
    )
    return "200 OK", _("You are signed in. You can close this page and go back to the notebook.")


def _to_open(page: str) -> str:
    """Return the address of a page that a person may be sent to.

    Raises:
        ToolError: it is none of the web, or not protected on its way.
    """
    address = address_of(page)
    if address.scheme != "https" and address.host not in ("localhost", "127.0.0.1", "::1"):
        raise ToolError(_("its page for signing in is not protected by https"))
    return address.url
