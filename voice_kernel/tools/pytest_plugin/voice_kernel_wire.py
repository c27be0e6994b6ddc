"""Where events go: one JSON object a line, to the descriptor named in the environment.

For the plugin and the runner beside it; the standard library is all it may import.
"""

from __future__ import annotations

import json
import os
from typing import Any

VARIABLE = "VOICE_KERNEL_EVENTS_FD"


class Wire:
    """Writes events, as long as somebody reads, and only in the process that was started for it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.pid = os.getpid()

    def emit(self, event: str, **values: Any) -> None:
        """Write one event."""
        if self.fd < 0 or os.getpid() != self.pid:  # nobody reads, or a test forked and came this far
            return
        data = (json.dumps(dict(values, event=event), default=str) + "\n").encode()
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except OSError:
            self.fd = -1


def wire() -> Wire | None:
    """Return where events go; None where nobody asked for them."""
    fd = os.environ.pop(VARIABLE, "")  # not for what tests start
    if not fd.isdigit():
        return None
    os.set_inheritable(int(fd), False)
    return Wire(int(fd))
