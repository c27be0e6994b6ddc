"""From which pages, how much and how often: what is refused before anybody looks at a request.

The Host of a request must be one of ours, or a page elsewhere could reach a loopback server by giving its own
name our address (DNS rebinding). A page of another origin is let in only where that origin was allowed.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
MAX_BUCKETS = 10_000


def host_of(header: str) -> str:
    """Return the name in a Host header, without its port."""
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


@dataclass(frozen=True)
class Origins:
    """Which pages may ask.

    Args:
        hosts: names under which the server is reached, besides those of the loopback device.
        origins: pages of other servers that may ask, as `http://localhost:5173`.
    """

    hosts: Collection[str] = ()
    origins: Collection[str] = ()

    def knows_host(self, header: str) -> bool:
        """Return whether a Host header names this server."""
        name = host_of(header)
        return name in LOOPBACK or name in {host.lower() for host in self.hosts}

    def is_ours(self, origin: str, host: str) -> bool:
        """Return whether an Origin header names a page of this server, as Host names it."""
        try:
            parts = urlsplit(origin)
        except ValueError:  # half an IPv6 address
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.strip().lower()

    def is_allowed(self, origin: str) -> bool:
        """Return whether a page of another server may ask."""
        return origin.rstrip("/") in {allowed.rstrip("/") for allowed in self.origins}


class Rate:
    """How often somebody may ask: so many at once, and so many a second after that.

    Args:
        per_s: requests a second, for long.
        burst: requests at once.
        now: the time, in seconds.
    """

    def __init__(self, per_s: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, who: str) -> float:
        """Count a request; returns 0, or how long to wait when it is one too many (it is not counted)."""
        now = self._now()
        left, at = self._buckets.pop(who, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._per_s)
        wait = 0.0
        if left >= 1:
            left -= 1
        else:
            wait = (1 - left) / self._per_s
        self._buckets[who] = (left, now)
        while len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return wait
