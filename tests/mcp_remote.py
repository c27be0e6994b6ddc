"""Remote MCP servers on loopback: over streamable HTTP or SSE, open, behind a header, or behind a sign-in."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from starlette.applications import Starlette
from starlette.responses import JSONResponse


class Office(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Signs everybody in, at once and without a question; counts what it was asked for."""

    def __init__(self) -> None:
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.tokens: dict[str, AccessToken] = {}
        self.refreshes: dict[str, RefreshToken] = {}
        self.asked: list[str] = []

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.asked.append("register")
        assert client_info.client_id is not None
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        self.asked.append("authorize")
        code = AuthorizationCode(
            code=secrets.token_urlsafe(16),
            client_id=client.client_id or "",
            expires_at=time.time() + 600,
            **params.model_dump(
                include={"code_challenge", "redirect_uri", "redirect_uri_provided_explicitly"}
            ),
            scopes=params.scopes or [],
            resource=params.resource,
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(self, client: Any, authorization_code: str) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        self.asked.append("token")
        del self.codes[authorization_code.code]
        return self._issue(client, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: Any, refresh_token: str) -> RefreshToken | None:
        return self.refreshes.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        self.asked.append("refresh")
        return self._issue(client, scopes, None)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.tokens.get(token)

    async def revoke_token(self, token: Any) -> None:
        self.tokens.pop(token.token, None)

    def _issue(
        self, client: OAuthClientInformationFull, scopes: list[str], resource: str | None
    ) -> OAuthToken:
        access, refresh = f"access-{secrets.token_hex(8)}", f"refresh-{secrets.token_hex(8)}"
        who = client.client_id or ""
        self.tokens[access] = AccessToken(token=access, client_id=who, scopes=scopes, resource=resource)
        self.refreshes[refresh] = RefreshToken(token=refresh, client_id=who, scopes=scopes)
        return OAuthToken(access_token=access, refresh_token=refresh, expires_in=3600, scope=" ".join(scopes))


class Behind:
    """Lets in whoever has a header, and notes the headers it saw."""

    def __init__(self, app: Any, name: str, value: str) -> None:
        self.app, self.name, self.value = app, name.lower().encode(), value.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(self.name) != self.value:
            return await JSONResponse({"error": "no"}, status_code=403)(scope, receive, send)
        return await self.app(scope, receive, send)


@contextmanager
def remote_server(
    kind: Literal["http", "sse"] = "http",
    *,
    header: tuple[str, str] | None = None,
    office: Office | None = None,
) -> Iterator[str]:
    """Run a server on loopback; gives its address."""
    # Named TCP, or asyncio leaves Nagle's algorithm on.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # who comes before it is served waits for it
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    auth = (
        AuthSettings.model_validate(
            {
                "issuer_url": origin,
                "resource_server_url": f"{origin}/{'mcp' if kind == 'http' else 'sse'}",
                "client_registration_options": ClientRegistrationOptions(enabled=True, valid_scopes=["read"]),
                "required_scopes": [],
                "validate_token_resource": False,
            }
        )
        if office is not None
        else None
    )
    server = MCPServer("remote", auth_server_provider=office, auth=auth)

    @server.tool()
    def double(x: int) -> int:
        """Double a number."""
        return 2 * x

    app: Starlette | Behind = server.streamable_http_app() if kind == "http" else server.sse_app()
    if header is not None:
        app = Behind(app, *header)
    running = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"{origin}/{'mcp' if kind == 'http' else 'sse'}"
    finally:
        running.should_exit = True
        thread.join(10)
        listener.close()
