"""A server that speaks OpenAI's protocol: its address, its key, and its failures in words.

Shared by what recognises speech and what speaks. Knows the client library, imported in a worker when it
is first needed; does not know what is asked of the server, nor which error class a person is to meet.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from voice_kernel.errors import SettingsError
from voice_kernel.language import _

if TYPE_CHECKING:
    import openai

OPENAI_URL = "https://api.openai.com/v1"
CONNECT_LIMIT_S = 5.0
REST_S = 60.0
"""How long a server is left alone that could not be reached, or that has had enough of us."""
MAX_REST_S = 600.0
MAX_QUOTE_CHARS = 300

_NO_KEY = "none"
"""The client refuses to start without a key; local servers do not read it."""
_SECURE = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, and with which key.

    Raises:
        SettingsError: when `url` is no address of a server.
    """

    url: str = OPENAI_URL
    """Without the name of an interface at its end: `http://127.0.0.1:8000/v1`."""
    api_key: str | None = field(default=None, repr=False)
    url_setting: str = "VOICE_KERNEL_SPEECH_URL"
    """What a person changes when the address is wrong."""
    key_setting: str = "OPENAI_API_KEY"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in _SECURE or not parts.hostname:
            raise SettingsError(
                _("{url_setting} is no address of a server.").format(url_setting=self.url_setting),
                hint=_("Give something like http://127.0.0.1:8000/v1."),
            )

    @property
    def is_openai(self) -> bool:
        """Whether OpenAI itself answers."""
        return urlsplit(self.url).hostname == urlsplit(OPENAI_URL).hostname

    @property
    def server(self) -> str:
        """Host and port for a person; never the credentials an address may carry."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def http_url(self) -> str:
        """The address for requests."""
        parts = urlsplit(self.url)
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        return urlunsplit(parts._replace(scheme=scheme, path=parts.path.removesuffix("/realtime")))

    @property
    def realtime_url(self) -> str:
        """The address for a WebSocket of the Realtime interface."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        path = path if path.endswith("/realtime") else path + "/realtime"
        return urlunsplit(parts._replace(scheme=_SECURE[parts.scheme], path=path))

    def scrub(self, text: str) -> str:
        """Return the text without this key, and without anything else that looks like one."""
        if self.api_key:
            text = text.replace(self.api_key, "***")
        return re.sub(r"\bsk-[\w*-]{4,}", "***", text)

    def quote(self, text: str) -> str:
        """Return what a server wrote, as one short line without keys."""
        line = " ".join(self.scrub(text).split())
        return line if len(line) <= MAX_QUOTE_CHARS else line[: MAX_QUOTE_CHARS - 1] + "…"

    async def client(self, *, silence_s: float) -> openai.AsyncOpenAI:
        """Return a client. Nothing is sent; the caller closes it.

        Args:
            silence_s: how long the server may say nothing before it is given up.

        Raises:
            ImportError: the client library is not installed.
        """
        await asyncio.to_thread(__import__, "openai")
        import openai

        return openai.AsyncOpenAI(
            api_key=self.api_key or _NO_KEY,
            # Never from the environment (OPENAI_BASE_URL): the key goes where the settings say.
            base_url=self.http_url,
            timeout=openai.Timeout(silence_s, connect=min(CONNECT_LIMIT_S, silence_s)),
            # The client would obey a Retry-After of minutes in silence, while a person waits.
            max_retries=0,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong at a server, for a person and for whoever decides what to do next."""

    message: str
    hint: str = ""
    passing: bool = False
    """Whether the same request may succeed at once when it is sent again."""
    rest_s: float = 0.0
    """How long asking again is useless."""


def failure_of(error: openai.OpenAIError, endpoint: Endpoint, *, model: str, model_setting: str) -> Failure:
    """Say what happened, where, and what to do next.

    Args:
        error: what the client raised.
        endpoint: who was asked.
        model: the name of the model that was asked for.
        model_setting: what a person changes when that name is wrong.
    """
    import openai

    server = endpoint.server
    if isinstance(error, openai.APITimeoutError):
        return Failure(_("{server} did not answer in time.").format(server=server), rest_s=REST_S)
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, endpoint, model, model_setting)
    if isinstance(error, openai.APIConnectionError):
        hint = (
            _("Check the network, and whether a proxy or firewall is in the way.")
            if endpoint.is_openai
            else _("Check that the server runs and that {url_setting} is right.").format(
                url_setting=endpoint.url_setting
            )
        )
        return Failure(
            _("{server} cannot be reached.").format(server=server), hint, passing=True, rest_s=REST_S
        )
    if isinstance(error, openai.APIError):  # an error inside a stream has no status
        return Failure(
            _("{server} reported an error: {quote}").format(
                server=server, quote=endpoint.quote(error.message)
            )
        )
    return Failure(
        _("{server} sent an answer that makes no sense ({name}).").format(
            server=server, name=type(error).__name__
        )
    )


def wrong_key(endpoint: Endpoint) -> Failure:
    """Say that the key was not accepted, or that there is none."""
    if endpoint.api_key:
        message, hint = (
            _("{server} did not accept the API key.").format(server=endpoint.server),
            _("Check {key_setting}.").format(key_setting=endpoint.key_setting),
        )
    else:
        message, hint = (
            _("{server} wants an API key.").format(server=endpoint.server),
            _("Set {key_setting}.").format(key_setting=endpoint.key_setting),
        )
    return Failure(message, hint, rest_s=REST_S)


def _refusal(error: openai.APIStatusError, endpoint: Endpoint, model: str, model_setting: str) -> Failure:
    server, status = endpoint.server, error.status_code
    if status == 401:
        return wrong_key(endpoint)
    if status == 403:
        return Failure(
            _("{server} does not let this API key use {model}.").format(server=server, model=model),
            _("Check the key's permissions, or set {model_setting} to another model.").format(
                model_setting=model_setting
            ),
            rest_s=REST_S,
        )
    if status == 404:
        where = (
            model_setting
            if endpoint.is_openai
            else _("{model_setting} and {url_setting}").format(
                model_setting=model_setting, url_setting=endpoint.url_setting
            )
        )
        message = _("{server} does not answer at this address.").format(server=server)
        if model:
            message = _("{server} has no model named {model}, or does not answer at this address.").format(
                server=server, model=model
            )
        return Failure(
            message,
            _("Check {where}.").format(where=where),
            rest_s=REST_S,
        )
    if status == 413:
        return Failure(
            _("{server} takes no recording as long as this one.").format(server=server),
            _("Speak in shorter pieces."),
        )
    if status == 429 and error.code == "insufficient_quota":
        return Failure(
            _("The account at {server} has no credit left.").format(server=server),
            _("Check its billing."),
            rest_s=REST_S,
        )
    if status == 429:
        wait = error.response.headers.get("retry-after", "")
        seconds = min(float(wait), MAX_REST_S) if wait.isdecimal() else REST_S / 6
        return Failure(
            _("{server} limits how often it can be asked.").format(server=server),
            _("It can be asked again in {seconds} s.").format(seconds=f"{seconds:.0f}"),
            rest_s=seconds,
        )
    if status >= 500:
        return Failure(
            _("{server} has a problem of its own ({status}).").format(server=server, status=status),
            passing=True,
            rest_s=REST_S / 6,
        )
    return Failure(
        _("{server} refused the request ({status}): {quote}").format(
            server=server, status=status, quote=endpoint.quote(error.message)
        )
    )
