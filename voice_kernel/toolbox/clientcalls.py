"""What tools ask the page to do, and what it answers.

ChatKit's client tools: the page of the person who asked carries something out, and the tool, or the model
that called it, goes on with what came of it. Each is answered once; nobody waits for one without bound. It
does not know pages or the wire. Belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

from voice_kernel.errors import Refused
from voice_kernel.language import _
from voice_kernel.messages import ClientCall
from voice_kernel.task.runner import TaskHandle

CLIENT_LIMIT_S = 120.0
"""How long a page has: it may ask its person something first."""
MAX_NAME_CHARS = 200
MAX_CHARS = 100_000
"""Of arguments, and of an answer, as JSON."""
MAX_OPEN = 50


class ClientCalls:
    """The open ones of a session.

    Args:
        able: whether the page that a turn came from carries such calls out.
        limit_s: how long one waits for its answer.
    """

    def __init__(
        self, able: Callable[[int], bool] = lambda turn_id: False, limit_s: float = CLIENT_LIMIT_S
    ) -> None:
        self.able = able
        self._limit_s = limit_s
        self._open: dict[str, asyncio.Future[Any]] = {}

    async def ask(self, task: TaskHandle, name: str, arguments: Mapping[str, Any]) -> Any:
        """Have the page do something, and return what it says came of it.

        Args:
            task: on whose behalf.
            name: what the page knows it by.
            arguments: plain data.

        Raises:
            Refused: nobody can do it, the page would not, or it has not answered in time.
        """
        if not self.able(task.turn_id):
            raise Refused(
                _("Nothing here carries out {name}.").format(name=name[:MAX_NAME_CHARS]),
                hint=_("Say it in a page: in the Voice panel, or in a client of voice-kernel serve."),
            )
        if not name or len(name) > MAX_NAME_CHARS or _size(arguments) > MAX_CHARS or self._is_full(task):
            raise Refused(_("The page cannot be asked that: it is too much, or has no name."))
        call = ClientCall(id=f"call_{token_hex(12)}", name=name, arguments=dict(arguments))
        answer = self._open[call.id] = asyncio.get_running_loop().create_future()
        task.asks_client(call)
        try:
            async with asyncio.timeout(self._limit_s):
                said = await answer
        except TimeoutError:
            task.asks_client(None)
            raise Refused(
                _("The page has not answered {name} in time.").format(name=name), hint=_("Ask again.")
            ) from None
        except (Refused, asyncio.CancelledError):
            if task.stopping is None:  # else the end of the task says it, and why
                task.asks_client(None)
            raise
        finally:
            del self._open[call.id]
        task.asks_client(None)
        return said

    def answer(self, call_id: str, result: Any, problem: str = "") -> bool:
        """Give what came of a call to the tool that asked; returns whether it still waited."""
        answer = self._open.get(call_id)
        if answer is None or answer.done():
            return False
        if problem:
            answer.set_exception(Refused(problem))
        elif _size(result) > MAX_CHARS:
            answer.set_exception(Refused(_("The page has answered too much.")))
        else:
            answer.set_result(result)
        return True

    def _is_full(self, task: TaskHandle) -> bool:
        return len(self._open) >= MAX_OPEN or task.task.client_call is not None


def _size(data: Any) -> int:
    try:
        return len(json.dumps(data))
    except (TypeError, ValueError, RecursionError):  # no plain data
        return MAX_CHARS + 1
