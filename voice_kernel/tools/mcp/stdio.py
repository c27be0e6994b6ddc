"""The pipes to a server that runs as a process: one message a line, and what it says on stderr.

Not the SDK's own: there a line without end grows without end, every line of garbage goes to a log with its
content, and nobody is told when the process dies. Here all three are bounded and told. The process is started
under `task/guard.py`, so that nothing of it outlives us.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_kernel.language import _
from voice_kernel.task import process

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

GUARD = Path(process.__file__).with_name("guard.py")
MAX_MESSAGE_BYTES = 16 * 1024**2
MAX_GARBAGE_LINES = 10_000
"""In a row; past that it is no server, whatever else it is."""
EXIT_S = 1.5
"""How long a server may take to end by itself once its stdin has ended. Source: MCP, lifecycle, shutdown."""
LAST_WORDS_S = 2.0
"""How long after the end of its stdout is waited for how it ended."""
GRACE_S = 1.0
"""How long after SIGTERM."""
KILL_S = 3.0
LINE_CHARS = 2_000
LINES_AT_ONCE = 100
PAUSE_S = 0.005
"""After so many lines of its stderr: one that floods it waits, and nobody else does."""


@asynccontextmanager
async def pipes(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    on_start: Callable[[int], None],
    on_line: Callable[[str], None],
    on_garbage: Callable[[], None],
    on_end: Callable[[str], None],
) -> AsyncIterator[TransportStreams]:
    """Start a server and give the streams that an SDK client wants; at the end all of it is gone.

    Args:
        argv: the command; never goes through a shell.
        env: its whole environment.
        on_start: gets the number of the process that stands guard over it.
        on_line: gets each line of its stderr.
        on_garbage: told of a line on stdout that is no message.
        on_end: told once how it ended, when it does so by itself.

    Raises:
        OSError: it could not be started.
    """
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    guard = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(GRACE_S)]
    child = await asyncio.create_subprocess_exec(
        *guard,
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(env),
        start_new_session=True,
        limit=MAX_MESSAGE_BYTES,
    )
    on_start(child.pid)
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    stdin, stdout, stderr = child.stdin, child.stdout, child.stderr
    inbound, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, outbound = anyio.create_memory_object_stream[SessionMessage](0)
    closing = False

    async def read() -> None:
        garbage = 0
        reason = ""
        async with inbound:
            while garbage < MAX_GARBAGE_LINES:
                line = await _line(stdout)
                if line is None:
                    break
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError:
                    garbage += 1
                    on_garbage()
                    continue
                garbage = 0
                with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                    await inbound.send(SessionMessage(message))
            else:
                reason = _("it writes what are no messages to its stdout")
            # Before the stream ends: who reads it would know of its end, and not why.
            if not closing and not reason:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_S):
                        await child.wait()
                reason = _ending(child.returncode)
            if not closing:
                on_end(reason)

    async def write() -> None:
        async with outbound:
            async for message in outbound:
                data = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                stdin.write(data.encode() + b"\n")
                with contextlib.suppress(ConnectionError):  # `read` tells of its end
                    await stdin.drain()

    async def listen() -> None:
        lines = 0
        while (line := await _line(stderr)) is not None:
            on_line(line.decode("utf-8", "replace").rstrip("\r\n")[:LINE_CHARS])
            lines += 1
            if lines % LINES_AT_ONCE == 0:
                await asyncio.sleep(PAUSE_S)

    async def close() -> None:
        for stream in (received, sent):
            stream.close()
        stdin.close()
        if not await _ended(child, EXIT_S):
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)  # the guard ends all that is below it
            if not await _ended(child, GRACE_S + KILL_S):
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await _ended(child, KILL_S)
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers, timeout=KILL_S)
        child._transport.close()  # type: ignore[attr-defined]  # no public way: else it warns when collected

    works: Sequence[Callable[[], Awaitable[None]]] = (read, write, listen)
    workers = [asyncio.ensure_future(work()) for work in works]
    try:
        yield received, sent
    finally:
        closing = True
        await asyncio.shield(
            asyncio.ensure_future(close())
        )  # a second cancellation must not leave it running


async def _line(stream: asyncio.StreamReader) -> bytes | None:
    """Return the next line, cut if it is longer than any may be; None at the end."""
    try:
        return await stream.readline() or None
    except ValueError:  # so long a line; the reader has dropped what it had of it
        return b"\n"
    except ConnectionError:
        return None


async def _ended(child: Any, limit_s: float) -> bool:
    """Wait for the process alone: `wait` would wait for its pipes too, which others may hold."""
    end = asyncio.get_running_loop().time() + limit_s
    pause_s = 0.002
    while child.returncode is None:
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(pause_s)
        pause_s = min(0.05, pause_s * 1.5)
    return True


def _ending(code: int | None) -> str:
    if code is None:
        return _("it has closed its stdout")
    if code > 128:
        with contextlib.suppress(ValueError):
            return _("it was ended by {signal}").format(signal=signal.Signals(code - 128).name)
    return _("it ended with exit status {code}").format(code=code)
