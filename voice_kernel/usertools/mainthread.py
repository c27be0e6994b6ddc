"""A function on the kernel's main thread, called by a piece of code that the kernel's door runs.

The door runs code, not functions: so the function waits here under a number, and the code asks for it.
That way its output is caught, its figures are drawn, an interrupt reaches it, and what it returns is shown
by IPython's own formatters. It does not know tools.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voice_kernel.usertools.tracebacks import coloured

_numbers = itertools.count(1)
_calls: dict[int, MainThreadCall] = {}


class Raised(Exception):
    """What the function raised, shown without the frames that led to it."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def _render_traceback_(self) -> list[str]:
        return self._lines


class Interrupted(KeyboardInterrupt):
    """The function was interrupted: nobody is helped by the way to where it was."""

    def _render_traceback_(self) -> list[str]:
        return ["Interrupted."]


@dataclass
class MainThreadCall:
    """One call that waits for the main thread, and what became of it."""

    function: Callable[[], Any]
    show: Callable[[Any], bool]
    """Whether a value is to be shown as a cell shows its last line."""
    awaits: bool = False
    value: Any = None
    error: BaseException | None = None
    number: int = 0

    def __enter__(self) -> MainThreadCall:
        self.number = next(_numbers)
        _calls[self.number] = self
        return self

    def __exit__(self, *exception: object) -> None:
        _calls.pop(self.number, None)

    @property
    def code(self) -> str:
        """The code that makes the call."""
        module = f"__import__({__name__!r}, fromlist=['*'])"
        return f"await {module}.run_async({self.number})" if self.awaits else f"{module}.run({self.number})"

    def shown(self) -> Any:
        """Return what is to be shown: the value, or nothing."""
        return self.value if self.show(self.value) else None


def run(number: int) -> Any:
    """Make a call; the code of the door comes here."""
    __tracebackhide__ = True
    call = _calls[number]
    try:
        call.value = call.function()
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Interrupted from None
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises is a result
        call.error = error
        raise Raised(coloured(error)) from None
    return call.shown()


async def run_async(number: int) -> Any:
    """Make a call that is awaited; the code of the door comes here."""
    __tracebackhide__ = True
    call = _calls[number]
    try:
        value = call.function()
        call.value = await value if inspect.isawaitable(value) else value
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Interrupted from None
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises is a result
        call.error = error
        raise Raised(coloured(error)) from None
    return call.shown()
