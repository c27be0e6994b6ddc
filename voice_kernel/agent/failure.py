"""What went wrong with the model, in words for a person.

Turns the exceptions of the OpenAI client and of the agents SDK into `ModelError`. What a server wrote is
quoted only shortened and with keys removed. Both libraries use httpx2 and wrap its exceptions: nothing
here catches httpx.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from voice_kernel.agent.provider import ModelSettings
from voice_kernel.errors import ModelError
from voice_kernel.language import _

if TYPE_CHECKING:
    import openai

MAX_QUOTE_CHARS = 300


def failures() -> tuple[type[Exception], ...]:
    """Return the exception classes that mean the model did not answer. Needs the SDK to be loaded."""
    import agents
    import openai
    from pydantic import ValidationError

    # The last three: a server that answers with something that is not its protocol.
    nonsense = (ValidationError, json.JSONDecodeError, UnicodeDecodeError)
    return (openai.OpenAIError, agents.AgentsException, *nonsense)


def is_too_long(error: Exception) -> bool:
    """Say whether the conversation did not fit into the model's context."""
    import openai

    if not isinstance(error, openai.BadRequestError):
        return False
    return error.code == "context_length_exceeded" or "context length" in error.message.lower()


def is_broken_off(error: Exception) -> bool:
    """Say whether the server stopped talking, rather than said what is wrong."""
    import agents
    import openai

    # The SDK's words for a stream that ended in good order before its end, on either protocol.
    words = ("final response", "finish_reason for choice")
    unfinished = isinstance(error, agents.ModelBehaviorError) and any(w in error.message for w in words)
    return unfinished or isinstance(error, openai.APIConnectionError)


def model_error(error: Exception, settings: ModelSettings, model: str) -> ModelError:
    """Say what happened, where, and what to do next.

    Args:
        error: one of `failures()`.
        settings: how the server was reached.
        model: the name of the model that was asked.
    """
    import agents
    import openai

    server = settings.server
    if isinstance(error, openai.APITimeoutError):
        return ModelError(
            _("The model at {server} did not answer within {timeout_s:g} s.").format(
                server=server, timeout_s=settings.timeout_s
            ),
            hint=_("Ask again, or choose a faster model with MODEL."),
            retryable=True,
        )
    if isinstance(error, openai.APIStatusError):
        return _status_error(error, settings, model)
    if isinstance(error, openai.APIConnectionError):
        hint = (
            _("Check the network, and whether a proxy or firewall is in the way.")
            if settings.is_openai
            else _("Is the server running? VOICE_KERNEL_MODEL_SERVER or VOICE_KERNEL_BASE_URL says where.")
        )
        return ModelError(
            _("The model server at {server} cannot be reached.").format(server=server),
            hint=hint,
            retryable=True,
        )
    if isinstance(error, agents.MaxTurnsExceeded):
        return ModelError(
            _("The model used all its steps and did not finish."),
            hint=_("Ask for a smaller step; what its tasks did stays done."),
        )
    if isinstance(error, agents.ModelRefusalError):
        return ModelError(_("The model declined: {quote}").format(quote=_quote(error.refusal, settings)))
    if isinstance(error, openai.APIError):
        # An error event inside the stream: there is no status to tell more.
        return _server_error(error.message, settings)
    return ModelError(
        _("The model server at {server} sent an answer that makes no sense ({name}).").format(
            server=server, name=type(error).__name__
        ),
        hint=""
        if settings.is_openai
        else _("Check that the server supports streaming and tool calls for this model."),
        retryable=True,
    )


def reported(event: Any, settings: ModelSettings, model: str) -> ModelError | None:
    """Return what is wrong when an event of the stream says so, else None.

    Args:
        event: an event of the Responses protocol.
        settings: how the server was reached.
        model: the name of the model that was asked.
    """
    if event.type == "response.incomplete":
        reason = getattr(event.response.incomplete_details, "reason", None)
        if reason == "content_filter":
            return ModelError(
                _("The content filter of {server} ended the answer.").format(server=settings.server)
            )
        return ModelError(
            _("{model} reached its length limit in the middle of its answer.").format(model=model),
            hint=_("Ask for something shorter."),
        )
    if event.type == "response.failed":
        words = getattr(event.response.error, "message", None)
    elif event.type == "error":
        words = event.message
    else:
        return None
    return _server_error(words or _("no reason given"), settings)


def broken_off(settings: ModelSettings) -> ModelError:
    """Say that the answer ended before its end; what came before it was shown."""
    return ModelError(
        _("The connection to the model at {server} broke off in the middle of its answer.").format(
            server=settings.server
        ),
        hint=_('Say "ask the model to go on", or ask again.'),
        retryable=True,
    )


def _status_error(error: openai.APIStatusError, settings: ModelSettings, model: str) -> ModelError:
    server, status = settings.server, error.status_code
    if status == 401:
        if settings.api_key:
            return ModelError(
                _("{server} did not accept the API key.").format(server=server),
                hint=_("Check OPENAI_API_KEY."),
            )
        return ModelError(
            _("{server} wants an API key.").format(server=server), hint=_("Set OPENAI_API_KEY.")
        )
    if status == 403:
        return ModelError(
            _("{server} does not let this API key use {model}.").format(server=server, model=model),
            hint=_("Check the key's permissions, or set MODEL to another model."),
        )
    if status == 404:
        return ModelError(
            _("{server} has no model named {model}, or does not answer at this address.").format(
                server=server, model=model
            ),
            hint=_("Check MODEL.") if settings.is_openai else _("Check MODEL and VOICE_KERNEL_BASE_URL."),
        )
    if status == 429 and error.code == "insufficient_quota":
        return ModelError(
            _("The account at {server} has no credit left.").format(server=server),
            hint=_("Check its billing."),
        )
    if status == 429:
        wait = error.response.headers.get("retry-after", "")
        when = _("Ask again in a moment.")
        if wait.isdecimal():
            when = _("Ask again in {seconds} s.").format(seconds=wait)
        return ModelError(
            _("{server} limits how often it can be asked.").format(server=server), hint=when, retryable=True
        )
    if is_too_long(error):
        return ModelError(
            _("The conversation is too long for {model}.").format(model=model),
            hint=_('Say "new conversation" and ask again, or choose a model that takes more.'),
        )
    if status >= 500:
        return ModelError(
            _("{server} has a problem of its own ({status}).").format(server=server, status=status),
            hint=_("Ask again."),
            retryable=True,
        )
    return ModelError(
        _("{server} refused the request ({status}): {quote}").format(
            server=server, status=status, quote=_quote(error.message, settings)
        )
    )


def _server_error(words: str, settings: ModelSettings) -> ModelError:
    return ModelError(
        _("The model server at {server} reported an error: {quote}").format(
            server=settings.server, quote=_quote(words, settings)
        ),
        hint=_("Ask again."),
        retryable=True,
    )


def _quote(text: str, settings: ModelSettings) -> str:
    words = " ".join(settings.scrub(text).split())
    return words if len(words) <= MAX_QUOTE_CHARS else words[: MAX_QUOTE_CHARS - 1] + "…"
