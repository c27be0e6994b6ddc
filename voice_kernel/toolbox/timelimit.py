"""What is told of a task whose time was over, and lengths of time in a person's words."""

from __future__ import annotations

from voice_kernel.language import _, decimal
from voice_kernel.messages import Problem


def timed_out(what: str, limit_s: float, area: str = "") -> Problem:
    """Return the problem of a task that was ended at its time limit.

    Args:
        what: what was ended, with its verb: `wget was ended`.
        limit_s: the limit, in seconds.
        area: the area whose limit it was; empty when the call itself gave it.
    """
    if area:
        hint = _("Tasks of this kind may take so long by the setting task_time_limits ({limit}).").format(
            limit=f"{area}={limit_s:g}"
        )
    else:
        hint = _("Ask for it again with a longer time limit, or with none.")
    return Problem(
        kind="TimedOut",
        message=_("{what} after {duration}, its time limit.").format(what=what, duration=duration(limit_s)),
        hint=hint,
    )


def duration(seconds: float) -> str:
    """Return a length of time for a person: `40 ms`, `1.2 s`, `12 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{decimal(seconds, 1 if round(seconds, 1) % 1 else 0)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s".replace(" 0 s", "")
    return f"{whole // 3600} h {whole % 3600 // 60} min".replace(" 0 min", "")
