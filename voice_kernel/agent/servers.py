"""Where models run, and how a person says which one is meant.

`ollama/qwen3:8b`, `lmstudio`, `openai/gpt-5`, `http://gpu:8000/v1#llama`: a server, then the model's name. A
name alone is a model of the server that the settings name. Nothing here ever chooses another server than the
one that was said: a local server that does not answer is an error, and no reason to ask the cloud.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from voice_kernel.agent.provider import ModelSettings
from voice_kernel.errors import ModelError
from voice_kernel.language import _

PRESETS: dict[str, str] = {
    "ollama": "http://127.0.0.1:11434/v1",
    "llama.cpp": "http://127.0.0.1:8080/v1",
    "vllm": "http://127.0.0.1:8000/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
}
"""Addresses at which these servers listen unless told otherwise. All four speak Chat Completions."""
OPENAI = "openai"
NAMES = (OPENAI, *PRESETS)


@dataclass(frozen=True, slots=True)
class Choice:
    """A server and a model, as a person said them."""

    server: str
    """A name of `NAMES`, an address, or empty for the settings' own."""
    model: str
    """Empty for the server's default."""


def parse(text: str) -> Choice:
    """Take apart what a person says to choose a model."""
    text = text.strip()
    if text.startswith(("http://", "https://")):
        address, _hash, model = text.partition("#")
        return Choice(address, model)
    server, slash, model = text.partition("/")
    name = _spoken(server)
    if name in NAMES:
        return Choice(name, model.strip() if slash else "")
    return Choice("", text)


def chosen(text: str, configured: ModelSettings) -> ModelSettings:
    """Return the settings of the model that a person has chosen.

    Args:
        text: as it was said.
        configured: what the settings say; the key goes to no other server than theirs.

    Raises:
        ModelError: there is no key for OpenAI, or the address is none.
    """
    choice = parse(text)
    if not choice.server:
        return replace(configured, model=choice.model)
    if choice.server == OPENAI:
        if not configured.api_key:
            raise ModelError(
                _("There is no key for OpenAI."), hint=_("Set OPENAI_API_KEY, then restart the kernel.")
            )
        return replace(configured, base_url=None, use_responses=None, model=choice.model)
    address = PRESETS.get(choice.server, choice.server)
    if configured.base_url == address:
        return replace(configured, model=choice.model or configured.model)
    # A key that is meant for one server is not shown to another.
    return replace(configured, base_url=address, use_responses=None, model=choice.model, api_key=None)


def stays_here(settings: ModelSettings) -> bool:
    """Say whether what is sent stays on this machine."""
    if settings.base_url is None:
        return False
    host = urlsplit(settings.base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _spoken(name: str) -> str:
    letters = name.lower().replace(" ", "").replace("_", "").replace("-", "")
    alike = {"llamacpp": "llama.cpp", "llama.cpp": "llama.cpp", "openai": OPENAI}
    return alike.get(letters, letters)
