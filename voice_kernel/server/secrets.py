"""Who may ask: the server's token, client secrets with an end, and keys for single addresses.

Secrets are kept only as hashes, and only in memory: those of a server that is started anew are new ones.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

PREFIX = "vkcs_"
MAX_SECRETS = 5_000
"""The one that ends first makes room for a new one."""


@dataclass(frozen=True)
class Session:
    """Who a client secret speaks for."""

    id: str
    user_id: str


@dataclass(frozen=True)
class Issued:
    """A client secret; this is the only time that it is seen."""

    client_secret: str
    expires_at: int
    """Seconds since the epoch."""
    session: Session


class Secrets:
    """The token of a server, and the client secrets that it has given out.

    Args:
        token: the server's token; empty for a new random one.
        life_s: how long a client secret is good for, in seconds.
        now: the time, in seconds since the epoch.
    """

    def __init__(
        self, token: str = "", *, life_s: float = 600.0, now: Callable[[], float] = time.time
    ) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self._life_s = life_s
        self._now = now
        self._sessions: OrderedDict[bytes, tuple[float, Session]] = OrderedDict()
        self._key = secrets.token_bytes(32)

    def is_token(self, given: str) -> bool:
        """Return whether this is the server's token."""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def issue(self, session: Session) -> Issued:
        """Make a client secret for a session."""
        self._forget_old()
        client_secret = PREFIX + secrets.token_urlsafe(32)
        ends_at = self._now() + self._life_s
        self._sessions[_hashed(client_secret)] = (ends_at, session)
        return Issued(client_secret, int(ends_at), session)

    def session(self, client_secret: str) -> Session | None:
        """Return whom a client secret speaks for; None when it is not good, or not any more."""
        ends_at, session = self._sessions.get(_hashed(client_secret), (0.0, None))
        return session if ends_at > self._now() else None

    def revoke(self, client_secret: str) -> None:
        """Let a client secret be good no longer."""
        self._sessions.pop(_hashed(client_secret), None)

    def key_of(self, name: str) -> str:
        """Return the key to one address of this server: to put a file there, or to see it."""
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()

    def is_key_of(self, name: str, given: str) -> bool:
        """Return whether this is the key to an address."""
        return hmac.compare_digest(self.key_of(name).encode(), given.encode())

    def _forget_old(self) -> None:
        now = self._now()
        while self._sessions:
            _, (ends_at, _session) = first = next(iter(self._sessions.items()))
            if ends_at > now and len(self._sessions) < MAX_SECRETS:
                return
            del self._sessions[first[0]]


def new_session_id() -> str:
    """Return a name for a session that nobody can guess."""
    return f"ses_{secrets.token_hex(12)}"


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
