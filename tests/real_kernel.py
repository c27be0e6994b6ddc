"""A real kernel in a process of its own, and a client that waits for what can be observed."""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

PROJECT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 120.0
"""A wait that succeeds costs nothing: long enough for a machine that is slow and busy."""
STARTS = 3
"""A kernel's ports are chosen before it takes them, and another process may have been quicker."""

SETUP = """
import asyncio, os, signal, sys, threading, time
from voice_kernel.kernel import Kernel
from voice_kernel.loop import AgentLoop
door = Kernel(get_ipython())
loop = AgentLoop()
def run(code, **options):
    return door.wait(loop, lambda: door.run(code, **options))
def say(text):
    door.show({'text/plain': text})
"""


@dataclass
class Cell:
    """What became of one execute request."""

    message_id: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """All stream text, and the plain text of displays and results."""
        parts = []
        for message in self.messages:
            content = message["content"]
            if message["msg_type"] == "stream":
                parts.append(content["text"])
            elif message["msg_type"] in ("execute_result", "display_data"):
                parts.append(content["data"].get("text/plain", ""))
        return "".join(parts)

    @property
    def kinds(self) -> list[str]:
        """The types of the output messages, in order; what is printed piece by piece counts once."""
        types = ("stream", "display_data", "update_display_data", "execute_result", "error")
        kinds = [message["msg_type"] for message in self.messages if message["msg_type"] in types]
        return [
            kind for kind, before in zip(kinds, ["", *kinds], strict=False) if {kind, before} != {"stream"}
        ]

    @property
    def status(self) -> str:
        """`ok`, `error` or `aborted`."""
        assert self.reply is not None
        return str(self.reply["content"]["status"])

    @property
    def ended(self) -> bool:
        """Whether the kernel went idle after it."""
        return any(
            message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
            for message in self.messages
        )


def shown(cell: Cell) -> str:
    """The plain text of everything a cell shows, updates of its cards included."""
    kinds = ("display_data", "update_display_data", "execute_result")
    messages = [message["content"] for message in cell.messages if message["msg_type"] in kinds]
    return "\n".join(str(content["data"].get("text/plain", "")) for content in messages)


class RealKernel:
    """An ipykernel in a process of its own.

    Args:
        folder: where it works, and keeps what it keeps.
        setup: run first.
        notebook: the notebook's file, as the Jupyter server would name it.
        environment: added to the process's.
        launcher: a command that runs the kernel's command.
    """

    def __init__(
        self,
        folder: Path,
        *,
        setup: str = SETUP,
        notebook: str = "",
        environment: Mapping[str, str] | None = None,
        launcher: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.sent: set[str] = set()
        self.listeners: list[Callable[[dict[str, Any]], None]] = []
        """Called with every output message."""
        self._setup = setup
        self._environment = dict(environment or {})
        if notebook:
            self._environment["JPY_SESSION_NAME"] = str(folder / notebook)
        self._launcher = list(launcher)
        self._cells: dict[str, Cell] = {}
        self.start()

    def start(self) -> None:
        """Start the process and run the setup."""
        for left in reversed(range(STARTS)):
            self._launch()
            try:
                self._connect()
            except RuntimeError:
                alive = self.manager.is_alive()
                self.stop()
                if alive or not left:
                    raise
            else:
                break
        self.execute(self._setup).expect_ok()

    def _launch(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.shutdown_wait_time = TIMEOUT_S  # one that is slow to end is not killed half-way
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
        environment = {name: value for name, value in os.environ.items() if name != "JPY_SESSION_NAME"} | {
            "PYTHONPATH": path,
            "IPYTHONDIR": str(self.folder / "ipython"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "MPLCONFIGDIR": str(self.folder / "matplotlib"),
            **self._environment,
        }
        # In whose presence ipykernel leaves C-level output alone.
        environment.pop("PYTEST_CURRENT_TEST", None)
        spec = self.manager.kernel_spec
        assert spec is not None
        spec.argv = [*self._launcher, sys.executable, *spec.argv[1:]]
        self.manager.start_kernel(env=environment, cwd=str(self.folder))

    def _connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_S)

    def kill(self) -> None:
        """End the process as nothing can prepare for."""
        self.client.stop_channels()
        os.kill(self.pid, signal.SIGKILL)
        self.manager.shutdown_kernel(now=True)

    def restart(self) -> None:
        """Press the restart button."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=False)
        self._connect()
        self.execute(self._setup).expect_ok()

    def shut_down(self) -> None:
        """Ask the process to end, and wait for it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)

    @property
    def pid(self) -> int:
        """The process."""
        pid = self.manager.provisioner.pid if self.manager.provisioner is not None else None
        assert isinstance(pid, int)
        return pid

    def stop(self) -> None:
        """End the process at once."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    @property
    def is_idle(self) -> bool:
        """Whether the process lives and answers."""
        if not self.manager.is_alive():
            return False
        try:
            return self.execute("1", timeout_s=30).status == "ok"
        except TimeoutError:
            return False

    # ---- cells ------------------------------------------------------------------------------------

    def begin(
        self, code: str, *, allow_stdin: bool = False, subshell_id: str | None = None, **options: Any
    ) -> Cell:
        """Send a cell and return at once."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": allow_stdin,
            "stop_on_error": True,
        } | options
        message = self.client.session.msg("execute_request", content)
        if subshell_id is not None:
            message["header"]["subshell_id"] = subshell_id
        self.client.shell_channel.send(message)
        message_id = message["header"]["msg_id"]
        self.sent.add(message_id)
        return self._cells.setdefault(message_id, Cell(message_id))

    def finish(self, cell: Cell, timeout_s: float = TIMEOUT_S) -> Finished:
        """Wait until a cell is over."""
        self.until(lambda: cell.ended and cell.reply is not None, timeout_s)
        return Finished(cell)

    def execute(
        self, code: str, *, timeout_s: float = TIMEOUT_S, allow_stdin: bool = False, **options: Any
    ) -> Finished:
        """Run a cell."""
        return self.finish(self.begin(code, allow_stdin=allow_stdin, **options), timeout_s)

    def value(self, expression: str) -> str:
        """Return the `repr` of an expression's value."""
        return self.execute(f"print(repr(({expression})), end='')").expect_ok().text

    def until_true(self, expression: str, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until an expression is true, with the kernel idle in between."""
        deadline = time.monotonic() + timeout_s
        while self.value(f"bool({expression})") != "True":
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true: {expression}")

    def printed(self, cell: Cell, text: str, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until a cell has printed something."""
        self.until(lambda: text in cell.text, timeout_s)

    # ---- messages ---------------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> None:
        """Take in messages until a condition holds."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("what was waited for did not happen")
            self.take_in()

    def outputs_of(self, message_id: str) -> Cell:
        """Return what was published for a request, whoever made it."""
        return self._cells.setdefault(message_id, Cell(message_id))

    def everything(self) -> list[dict[str, Any]]:
        """Return every output message so far."""
        return [message for cell in self._cells.values() for message in cell.messages]

    def take_in(self) -> None:
        """Take in what has come, or wait a moment for it."""
        try:
            message = self.client.get_iopub_msg(timeout=0.02)
        except queue.Empty:
            pass
        else:
            parent = message["parent_header"].get("msg_id", "")
            self._cells.setdefault(parent, Cell(parent)).messages.append(message)
            for listener in self.listeners:
                listener(message)
        try:
            reply = self.client.get_shell_msg(timeout=0)
        except queue.Empty:
            return
        parent = reply["parent_header"].get("msg_id", "")
        self._cells.setdefault(parent, Cell(parent)).reply = reply

    def interrupt(self) -> None:
        """Press the interrupt button."""
        self.manager.interrupt_kernel()


class Finished(Cell):
    """A cell that is over."""

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell.message_id, cell.messages, cell.reply)

    def expect_ok(self) -> Finished:
        """Fail with what the cell said, unless it succeeded."""
        assert self.status == "ok", self.reply
        return self
