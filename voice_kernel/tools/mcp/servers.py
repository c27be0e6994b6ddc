"""What is known of an MCP server: how it is run or reached. Values of secrets are elsewhere (secrets.py)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

HOLE = re.compile(r"\$\{([\w.-]+)\}")
"""In an argument or an address: stands for a secret."""
NAME = re.compile(r"^\w[\w.-]{0,59}$")
SECRET_NAME = re.compile(r"[\w.-]{1,200}")
"""What a secret may be called: it stands in commands that a person is told to type."""


class Server(BaseModel):
    """One configured server."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str = Field(pattern=NAME.pattern)
    transport: Literal["stdio", "http", "sse"] = "stdio"
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    """Plain values; a name without a value here is a secret."""
    secrets: tuple[str, ...] = ()
    """Names of environment variables, of headers of a remote server, or of holes `${NAME}` in arguments,
    address and headers, whose values are kept as secrets."""
    optional: tuple[str, ...] = ()
    """The secrets among them that may have no value."""
    url: str = ""
    headers: dict[str, str] = {}
    registry_name: str = ""
    """Its name in the registry it was installed from, e.g. `io.github.ada/time`."""
    version: str = ""
    off: tuple[str, ...] = ()
    """Tools that are switched off."""
    autostart: bool = False

    @field_validator("secrets", "optional")
    @classmethod
    def _named(cls, value: Iterable[str]) -> Iterable[str]:
        for name in value:
            if not SECRET_NAME.fullmatch(name):
                raise ValueError(f"{name[:60]!r} is no name of a secret")
        return value

    @property
    def what(self) -> str:
        """The command line or address, for a person."""
        return self.url or " ".join([self.command, *self.args])

    @property
    def holes(self) -> frozenset[str]:
        """The secrets that stand in its arguments, address or headers, and so need none of their own."""
        texts = (*self.args, self.url, *self.headers.values())
        return frozenset(name for text in texts for name in HOLE.findall(text))
