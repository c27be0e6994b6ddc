"""One scripted run of a notebook file: opened, its kernel started, commands done in order, saved.

Without commands every cell is run, as `jupyter execute` does. Whatever happens (a cell that fails, a
command that is not understood, a limit, a kernel that dies, Ctrl-C), the notebook is written as far as it
came. The run stops at the first thing that goes wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from nbformat import NotebookNode

from voice_kernel.errors import ClientError, KernelDied, NotebookError, VoiceKernelError
from voice_kernel.headless.commands import Command
from voice_kernel.headless.document import Document
from voice_kernel.headless.execution import Execution, Ran
from voice_kernel.headless.frontend import FrontEnd
from voice_kernel.messages import (
    CancelTurn,
    Do,
    Notice,
    Say,
    Task,
    TaskChanged,
    ToSurface,
    Turn,
    TurnChanged,
)
from voice_kernel.script.outcome import difference
from voice_kernel.script.outcome import outcome_of as outcome_of_tasks

State = Literal["passed", "failed", "unknown", "refused", "timeout", "killed", "cancelled", "skipped"]
"""`unknown`: not understood, nothing was done. `killed`: the kernel died."""

CANCEL_LIMIT_S = 10.0
"""How long a command that took too long may take to end once it is cancelled."""


@dataclass(frozen=True)
class Outcome:
    """What one command, or one cell, came to."""

    name: str
    state: State
    duration_s: float = 0.0
    message: str = ""
    hint: str = ""
    where: str = ""


@dataclass
class Report:
    """What a run came to."""

    notebook: Path
    output: Path
    started_at: float
    duration_s: float = 0.0
    commands: list[Outcome] = field(default_factory=list)
    cells: list[Outcome] = field(default_factory=list)

    @property
    def state(self) -> State:
        """The first state that is not `passed`; of the commands, where there are any."""
        outcomes = self.commands or self.cells
        return next((one.state for one in outcomes if one.state not in ("passed", "skipped")), "passed")


class Progress(Protocol):
    """Told how a run goes."""

    def begins(self, number: int, count: int, command: Command) -> None:
        """A command begins; numbers from 1."""
        ...

    def said(self, event: ToSurface) -> None:
        """The session tells something."""
        ...

    def ran(self, position: int, count: int, outcome: Outcome) -> None:
        """A cell was run; positions from 1."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """A command has ended."""
        ...


@dataclass(frozen=True)
class Options:
    """What is to be run, and how."""

    notebook: Path
    commands: Sequence[Command] = ()
    output: Path | None = None
    """Where the executed notebook goes; over the notebook itself if absent."""
    timeout_s: float | None = None
    """For each command; without commands for each cell."""
    allow_cli: bool = False
    approve: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Papermill's parameters."""
    kernel_name: str = ""


class NotebookRun:
    """One run; its `report` tells what it came to, also when it was cancelled.

    Args:
        options: what is to be run, and how.
        progress: told how it goes.

    Raises:
        NotebookError: the notebook cannot be read, or the parameters cannot be put in.
    """

    def __init__(self, options: Options, progress: Progress) -> None:
        document = Document.open(options.notebook)
        if options.parameters:
            document = parameterized(document, options.parameters)
        self._options = options
        self._document = document
        self._progress = progress
        self._output = options.output or options.notebook
        self.report = Report(options.notebook, self._output, time.time())
        self._turns: asyncio.Queue[Turn] = asyncio.Queue()
        self._last_turn_id = 0
        self._tasks: dict[int, Task] = {}
        """Those of the command that is done."""
        self._execution = Execution(
            document.notebook,
            cwd=options.notebook.resolve().parent,
            kernel_name=options.kernel_name,
            env={"ALLOW_CLI_EXECUTION": "true"} if options.allow_cli else {},
            on_event=lambda event: self._front_end.received(event),
        )
        self._front_end = FrontEnd(
            document,
            self._execution,
            save_to=self._output,
            approve=options.approve,
            on_event=self._said,
            on_ran=self._ran,
        )

    async def execute(self) -> State:
        """Do everything, and save the notebook whatever happens.

        Raises:
            NotebookError: the notebook cannot be written.
            ClientError: no kernel could be started, or it cannot load voice_kernel.
            asyncio.CancelledError: Ctrl-C or SIGTERM; what was run so far is saved.
        """
        started = time.monotonic()
        try:
            with _terminated_like_interrupted():
                await self._execution.start()
                try:
                    await (self._do_commands() if self._options.commands else self._run_all())
                finally:
                    # Before the kernel is stopped, which may take its time: then nothing can be lost.
                    self._execution.keep_widgets()
                    self._document.save(self._output)
                    await self._front_end.close()
                    await self._execution.stop()
        except VoiceKernelError as error:
            outcomes = self.report.commands if self._options.commands else self.report.cells
            outcomes.append(Outcome("start", "failed", message=error.message, hint=error.hint))
            raise
        finally:
            self.report.duration_s = time.monotonic() - started
        return self.report.state

    # ---- all cells --------------------------------------------------------------------------------

    async def _run_all(self) -> None:
        if mentions_voice(self._document.notebook):
            try:
                await self._front_end.connect()
            except KernelDied:
                raise
            except ClientError as error:  # perhaps nothing but a word in a notebook of another environment
                self._progress.said(Notice(level="warning", message=error.message, hint=error.hint))
        for cell in list(self._document.cells):
            if self._document.position(cell) < 0:
                continue  # deleted by a cell before it
            try:
                async with asyncio.timeout(self._options.timeout_s):
                    ran = await self._front_end.run(cell)
            except TimeoutError:
                self._cell_ended(cell, "timeout", f"It took longer than {self._options.timeout_s:g} s.")
                return
            except KernelDied as died:
                self._cell_ended(cell, "killed", died.message)
                return
            except asyncio.CancelledError:
                self._cell_ended(cell, "cancelled", "Interrupted.")
                raise
            if not ran.ok:
                return
            await self._restart_if_wanted()

    def _ran(self, cell: NotebookNode, ran: Ran) -> None:
        if cell.cell_type == "code":
            state: State = "skipped" if ran.skipped else "passed" if ran.ok else "failed"
            self._cell_ended(cell, state, ran.error, ran.duration_s)

    def _cell_ended(self, cell: NotebookNode, state: State, message: str, duration_s: float = 0.0) -> None:
        position = self._document.position(cell) + 1
        outcome = Outcome(f"cell {position}", state, duration_s, message)
        self.report.cells.append(outcome)
        self._progress.ran(position, len(self._document.cells), outcome)

    # ---- commands ---------------------------------------------------------------------------------

    async def _do_commands(self) -> None:
        await self._front_end.connect()
        commands = list(self._options.commands)
        for at, command in enumerate(commands):
            self._progress.begins(at + 1, len(commands), command)
            started = time.monotonic()
            try:
                outcome = await self._do(command)
                if outcome.state == "passed":
                    await self._restart_if_wanted()
            except KernelDied as died:
                outcome = Outcome(command.label, "killed", message=died.message)
            except asyncio.CancelledError:
                self._command_ended(command, Outcome(command.label, "cancelled"), started)
                raise
            except VoiceKernelError as error:  # a recording that is none, a kernel that does not load
                outcome = Outcome(command.label, "failed", message=error.message, hint=error.hint)
            self._command_ended(command, outcome, started)
            if outcome.state != "passed":
                for rest in commands[at + 1 :]:
                    self.report.commands.append(Outcome(rest.label, "skipped", where=rest.where))
                return

    def _command_ended(self, command: Command, outcome: Outcome, started: float) -> None:
        whole = Outcome(
            outcome.name,
            outcome.state,
            time.monotonic() - started,
            outcome.message,
            outcome.hint,
            command.where,
        )
        self.report.commands.append(whole)
        self._progress.ended(whole)

    async def _do(self, command: Command) -> Outcome:
        self._tasks.clear()
        if command.audio is not None:
            from voice_kernel.speech.clip import AudioClip

            clip = AudioClip.read(command.audio)
            self._execution.link.send_recording(clip.pcm, clip.rate_hz)
        elif command.calls:
            self._execution.link.send(Do(text=command.text, calls=list(command.calls)))
        else:
            self._execution.link.send(Say(text=command.text))
        try:
            async with asyncio.timeout(self._options.timeout_s):
                turn = await self._execution.until_dead(self._ended_turn())
        except TimeoutError:
            await self._give_up()
            return Outcome(
                command.label, "timeout", message=f"It took longer than {self._options.timeout_s:g} s."
            )
        except asyncio.CancelledError:
            await self._give_up()
            raise
        self._last_turn_id = turn.id
        tasks = [task for task in self._tasks.values() if task.turn_id == turn.id]
        return outcome_of(command, turn, tasks)

    async def _ended_turn(self) -> Turn:
        while True:
            turn = await self._turns.get()
            if turn.ended_at is not None:
                return turn

    async def _give_up(self) -> None:
        """Cancel the turn that runs, and wait a little for its end."""
        if not self._execution.alive:
            return
        self._execution.link.send(CancelTurn(turn_id=self._last_turn_id))
        with contextlib.suppress(TimeoutError, KernelDied):
            async with asyncio.timeout(CANCEL_LIMIT_S):
                await self._execution.until_dead(self._ended_turn())

    def _said(self, event: ToSurface) -> None:
        if isinstance(event, TurnChanged) and event.turn.surface_id == self._front_end.surface_id:
            self._last_turn_id = event.turn.id
            self._turns.put_nowait(event.turn)
        elif isinstance(event, TaskChanged) and self._options.commands:
            self._tasks[event.task.id] = event.task
        if self._options.commands or isinstance(event, Notice):
            self._progress.said(event)  # what a cell's own commands put out is in the cell

    async def _restart_if_wanted(self) -> None:
        wanted, self._front_end.restart_wanted = self._front_end.restart_wanted, None
        if wanted is None:
            return
        await self._front_end.close()
        await self._execution.restart()
        await self._front_end.connect()
        self._turns = asyncio.Queue()
        if wanted.run_all:
            for cell in list(self._document.cells):
                if not (await self._front_end.run(cell)).ok:
                    return


def outcome_of(command: Command, turn: Turn, tasks: Sequence[Task] = ()) -> Outcome:
    """Return what a command came to, from the turn it became and its tasks."""
    if command.expected is not None and turn.state in ("succeeded", "failed"):
        wrong = difference(command.expected, outcome_of_tasks(tasks))
        if not wrong:
            return Outcome(command.label, "passed")
    else:
        wrong = ""
    label = command.label if command.text else f"{command.label}: “{turn.text}”"
    state: State = "passed"
    if turn.state == "nothing":
        state = "unknown"
    elif turn.state == "cancelled":
        state = "cancelled"
    elif turn.state != "succeeded":
        kind = turn.problem.kind if turn.problem is not None else ""
        state = "refused" if kind in ("Refused", "NobodyToAsk") else "failed"
    elif wrong:
        state = "failed"
    message = turn.problem.message if turn.problem is not None else ""
    if wrong:
        message = f"It came out differently. {wrong} {message}".rstrip()
    hint = turn.problem.hint if turn.problem is not None else ""
    if state == "unknown" and turn.closest:
        hint = f"Closest: {'; '.join(turn.closest)}."
    if state == "unknown" and not message:
        message = turn.answer
    return Outcome(label, state, message=message, hint=hint)


def mentions_voice(notebook: NotebookNode) -> bool:
    """Return whether a notebook may speak to voice_kernel, so that its session is wanted."""
    return any(cell.cell_type == "code" and "voice" in cell.source for cell in notebook.cells)


def parameterized(document: Document, parameters: Mapping[str, Any]) -> Document:
    """Return the notebook with papermill's parameters put in.

    Raises:
        NotebookError: papermill is not installed, or knows no way to say them in the notebook's language.
    """
    try:
        from papermill.exceptions import PapermillException
        from papermill.parameterize import parameterize_notebook
    except ImportError:
        raise NotebookError(
            "Parameters need papermill, which is not installed.", hint="Run: pip install papermill"
        ) from None
    notebook = document.notebook
    notebook.metadata.setdefault("papermill", NotebookNode())
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])  # papermill takes them for granted
    try:
        made = parameterize_notebook(notebook, dict(parameters))
    except (PapermillException, KeyError, AttributeError) as error:
        raise NotebookError(f"The parameters cannot be put in: {type(error).__name__}.") from None
    for cell in made.cells:
        if not cell.metadata.tags:
            del cell.metadata["tags"]
    return document.replaced(made)


def parameter(text: str) -> Any:
    """Return the value of a parameter as it is meant on a command line. Source: papermill's `-p`."""
    constants = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    with contextlib.suppress(ValueError):
        return float(text)
    return text


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM and a closed terminal cancel the run, as Ctrl-C does, so that the notebook is saved."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    try:
        for number in numbers:
            loop.add_signal_handler(number, task.cancel)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        numbers = []
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
