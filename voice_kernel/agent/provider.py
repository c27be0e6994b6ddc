"""Which model answers, and the connection to it.

Knows OpenAI and any server that speaks its protocol. Does not know what is asked, nor the tools.
Everything the SDK would share through globals (client, key, tracing) is passed explicitly: the user's
own notebook may use the same SDK in this process, and neither side may change the other.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from voice_kernel.errors import ModelError
from voice_kernel.language import _

if TYPE_CHECKING:
    import agents
    import openai

OPENAI_URL = "https://api.openai.com/v1"
CONNECT_LIMIT_S = 10.0
MAX_RETRIES = 2
MAX_WAIT_S = 15.0
"""A server that wants us to wait longer before we ask again is not waited for: the person is told."""
MAX_LISTED_MODELS = 10

_NO_KEY = "none"
"""The client refuses to start without a key; local servers do not read it."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model answers.

    Raises:
        ModelError: when `base_url` is no http(s) address.
    """

    model: str = ""
    """The model's name; empty for the SDK's default, or for the only model a custom server offers."""
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    """A server that speaks OpenAI's protocol; None for OpenAI itself."""
    use_responses: bool | None = None
    """Responses or Chat Completions; None for Responses with OpenAI, Chat Completions elsewhere."""
    timeout_s: float = 60.0
    """Longest silence of the server: until it starts to answer, and between two pieces of the answer."""
    sees: bool | None = None
    """Whether the model is shown pictures; None for yes with OpenAI, no elsewhere."""
    areas: tuple[str, ...] = ()
    """Areas of tools it is offered; empty for all."""

    def __post_init__(self) -> None:
        if self.base_url is None:
            return
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ModelError(
                _("The address of the model server is not an http(s) address."),
                hint=_("Set VOICE_KERNEL_BASE_URL to something like http://127.0.0.1:11434/v1."),
            )

    @property
    def configured(self) -> bool:
        """Whether there is anything to reach: a server, or a key for OpenAI."""
        return self.base_url is not None or self.api_key is not None

    @property
    def is_openai(self) -> bool:
        """Whether OpenAI itself answers."""
        return self.base_url is None

    @property
    def speaks_responses(self) -> bool:
        """Whether requests go to `/responses` rather than `/chat/completions`."""
        return self.is_openai if self.use_responses is None else self.use_responses

    @property
    def sees_pictures(self) -> bool:
        """Whether the model is shown pictures."""
        return self.is_openai if self.sees is None else self.sees

    @property
    def server(self) -> str:
        """Host and port for a person; never the credentials an address may carry."""
        parts = urlsplit(self.base_url or OPENAI_URL)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    def scrub(self, text: str) -> str:
        """Return the text without this key, and without anything else that looks like one."""
        if self.api_key:
            text = text.replace(self.api_key, "***")
        return re.sub(r"\bsk-[\w*-]{4,}", "***", text)


@dataclass(frozen=True, slots=True)
class Connection:
    """A ready client and what the SDK needs to use it."""

    client: openai.AsyncOpenAI
    provider: agents.ModelProvider
    settings: ModelSettings
    model: str
    tuning: agents.ModelSettings

    async def close(self) -> None:
        """Close the connections to the server."""
        await self.client.close()


async def load_sdk() -> None:
    """Import the SDK (1.4 s of CPU and 100 MB) in a worker, so that the loop stays responsive.

    Raises:
        ModelError: when it is not installed.
    """
    try:
        await asyncio.to_thread(__import__, "agents")
    except ImportError as error:
        raise ModelError(
            _("A model is configured, but {value} is not installed.").format(
                value=error.name or "openai-agents"
            ),
            hint=_('Run: pip install "voice-kernel[model]", then restart the kernel.'),
        ) from error
    # Without a handler Python prints the SDK's errors into whatever cell is newest. What they say
    # reaches the person as a ModelError; a handler of the user's own still gets them.
    logger = logging.getLogger("openai.agents")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


async def connect(settings: ModelSettings) -> Connection:
    """Make the client and choose the model.

    A request is sent only when a custom server has to be asked which model it offers.

    Raises:
        ModelError: when no model is named and the server offers none, or several.
        openai.OpenAIError: when the server had to be asked and did not answer.
    """
    await load_sdk()
    import agents
    import openai

    # The transport's timeouts bound each wait, not the whole answer, which may be long.
    client = openai.AsyncOpenAI(
        api_key=settings.api_key or _NO_KEY,
        # Never from the environment (OPENAI_BASE_URL): the key goes where the settings say.
        base_url=settings.base_url or OPENAI_URL,
        timeout=openai.Timeout(settings.timeout_s, connect=min(CONNECT_LIMIT_S, settings.timeout_s)),
        # The client would obey a Retry-After of two minutes in silence; `_tuning` retries instead.
        max_retries=0,
    )
    try:
        model = settings.model or await _default_model(client, settings)
    except BaseException:  # the client must not outlive a failed or cancelled start
        await client.close()
        raise
    provider = agents.OpenAIProvider(
        openai_client=client,
        use_responses=settings.speaks_responses,
        # Other servers cut tool calls into pieces in ways of their own; the whole call is safe to read.
        buffer_streamed_tool_calls=not settings.is_openai,
    )
    return Connection(client, provider, settings, model, _tuning(settings, model))


async def _default_model(client: openai.AsyncOpenAI, settings: ModelSettings) -> str:
    if settings.is_openai:
        from agents.models import get_default_model

        return get_default_model()
    names = [model.id async for model in client.models.list()]
    if len(names) == 1:
        return names[0]
    if not names:
        raise ModelError(
            _("The server at {server} offers no model.").format(server=settings.server),
            hint=_("Load a model there, or set MODEL to its name."),
        )
    listed = ", ".join(names[:MAX_LISTED_MODELS])
    raise ModelError(
        _("The server at {server} offers several models, and none is chosen.").format(server=settings.server),
        hint=_("Set MODEL to one of: {listed}.").format(listed=listed),
    )


def _tuning(settings: ModelSettings, model: str) -> agents.ModelSettings:
    import agents
    from agents.models import get_default_model_settings
    from agents.models.default_models import gpt_5_reasoning_settings_required
    from agents.retry import (
        ModelRetryBackoffSettings,
        ModelRetrySettings,
        RetryDecision,
        RetryPolicyContext,
    )

    def passing(attempt: RetryPolicyContext) -> RetryDecision:
        # For what passes by itself: a kept connection the server had closed, a server that stumbles, a rate
        # limit that is soon over. Not a timeout: the person has waited, and is told instead.
        error = attempt.normalized
        status = error.status_code or 0
        if status == 429:
            wait_s = error.retry_after
            spent = error.error_code == "insufficient_quota"
            return RetryDecision(
                retry=not spent and wait_s is not None and wait_s <= MAX_WAIT_S, delay=wait_s
            )
        return RetryDecision(retry=not error.is_timeout and (error.is_network_error or status >= 500))

    backoff = ModelRetryBackoffSettings(initial_delay=0.2, multiplier=4.0, max_delay=2.0, jitter=True)
    retry = ModelRetrySettings(max_retries=MAX_RETRIES, backoff=backoff, policy=passing)
    # Without `include_usage` a server of Chat Completions that streams does not say what an answer took.
    tuning = agents.ModelSettings(retry=retry, include_usage=None if settings.speaks_responses else True)
    if settings.is_openai:
        # Conversations are not kept by the provider. Without storage a reasoning model needs its own
        # reasoning handed back, encrypted. Source: OpenAI, "Reasoning models", encrypted reasoning items.
        thinks = settings.speaks_responses and gpt_5_reasoning_settings_required(model)
        include = ["reasoning.encrypted_content"] if thinks else None
        store = agents.ModelSettings(store=False, response_include=include)
        tuning = get_default_model_settings(model).resolve(store).resolve(tuning)
    return tuning
