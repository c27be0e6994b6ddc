"""Speaks `messages` to a session in another process, over the Jupyter protocol.

Knows how to start a kernel, load voice_kernel in it and open a comm; not what the messages lead to.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from voice_kernel.errors import ClientError, KernelDied, SettingsError
from voice_kernel.language import _
from voice_kernel.messages import (
    Audio,
    AudioEnd,
    AudioStart,
    Hello,
    ToKernel,
    ToSurface,
    to_kernel,
    to_surface,
)

COMM_TARGET = "voice_kernel"
START_LIMIT_S = 60.0
POLL_S = 0.5
CHUNK_MS = 40

LOAD = '__import__("voice_kernel.app").app.app_of(get_ipython()) and None'
"""Makes the session; no name of the user's is made, and the magics are the user's to load."""


class Link:
    """The comm between a surface on this side and the session in a kernel.

    It sends, and knows its own among the messages that the kernel publishes; who reads those is not its
    part.

    Args:
        client: a connected `jupyter_client` client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._comm_id = uuid.uuid4().hex

    def open(self, hello: Hello) -> None:
        """Open the comm and say hello; the session answers with `State`.

        Until that has come, nothing else may be sent: it could overtake the opening.
        """
        self._shell("comm_open", {"comm_id": self._comm_id, "target_name": COMM_TARGET, "data": {}})
        self.send(hello)

    def send(self, message: ToKernel, buffers: Sequence[bytes] = ()) -> None:
        """Send one message to the session."""
        content = {"comm_id": self._comm_id, "data": to_kernel.dump_python(message, mode="json")}
        self._shell("comm_msg", content, buffers)

    def send_recording(self, pcm: bytes, rate_hz: int) -> None:
        """Send a whole recording of mono 16-bit PCM, as a microphone would."""
        utterance_id = uuid.uuid4().hex
        self.send(AudioStart(utterance_id=utterance_id, rate_hz=rate_hz))
        size = rate_hz * CHUNK_MS // 1000 * 2
        pieces = [pcm[at : at + size] for at in range(0, len(pcm), size)]
        for seq, piece in enumerate(pieces):
            self.send(Audio(utterance_id=utterance_id, seq=seq), [piece])
        self.send(AudioEnd(utterance_id=utterance_id, chunks=len(pieces)))

    def received(self, message: dict[str, Any]) -> ToSurface | None:
        """Return what the session says with a published message; None when that is not for us."""
        data = self.data(message)
        return None if data is None else to_surface.validate_python(data)

    def data(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Return the same as plain data, to be handed on unread."""
        content = message["content"]
        if message["msg_type"] != "comm_msg" or content.get("comm_id") != self._comm_id:
            return None
        data: dict[str, Any] = content["data"]
        return data

    def close(self) -> None:
        """Let the session forget this surface; what it asked for goes on."""
        self._shell("comm_close", {"comm_id": self._comm_id, "data": {}})

    def _shell(self, kind: str, content: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        channel = self._client.shell_channel
        message = self._client.session.msg(kind, content)
        self._client.session.send(channel.socket, message, buffers=list(buffers))


class OwnKernel:
    """A kernel that is started here, and ends with this process at the latest.

    Args:
        cwd: folder in which it starts.
        name: which kernel to start.
    """

    def __init__(self, cwd: Path, name: str = "python3") -> None:
        self.name = name
        self.client: Any = None
        """The connected `jupyter_client` client."""
        self._cwd = cwd
        self._manager: Any = None
        self._sockets = ""

    async def start(self) -> None:
        """Start it and load voice_kernel in it; nothing is left behind when that fails.

        Raises:
            ClientError: it does not start, or cannot load voice_kernel.
        """
        from jupyter_client.manager import AsyncKernelManager

        self._manager = AsyncKernelManager(kernel_name=self.name)
        try:
            if os.name == "posix":
                # Not over TCP, where other users could listen; nor with sockets in the user's folder, which
                # may be read-only. A short path: a socket's has a limit.
                self._sockets = tempfile.mkdtemp(prefix="voice-kernel-")
                self._manager.transport, self._manager.ip = "ipc", f"{self._sockets}/k"
            await self._manager.start_kernel(cwd=str(self._cwd), env=environment())
            self.client = self._manager.client()
            self.client.start_channels()
            await self.client.wait_for_ready(timeout=START_LIMIT_S)
            await load(self.client, self.name)
        except (RuntimeError, OSError) as error:
            await self.stop()
            raise ClientError(
                _("The kernel did not start: {name}.").format(name=type(error).__name__),
                hint=_("Run voice-kernel doctor to see what is wrong."),
                retryable=True,
            ) from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop it; its children end with it. Safe to call twice."""
        if self.client is not None:
            self.client.stop_channels()
            self.client = None
        if self._manager is not None and self._manager.has_kernel:
            with contextlib.suppress(RuntimeError):  # it has gone by itself
                await self._manager.shutdown_kernel(now=False)
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)

    async def is_alive(self) -> bool:
        """Return whether its process lives."""
        return bool(await self._manager.is_alive())

    async def interrupt(self) -> None:
        """Interrupt what runs in it."""
        await self._manager.interrupt_kernel()


class RunningKernel:
    """A kernel that runs already and is somebody else's: a notebook's.

    Args:
        connection_file: its connection file, or the name of one in Jupyter's runtime folder.
    """

    def __init__(self, connection_file: str) -> None:
        self.name = connection_file
        self.client: Any = None
        """The connected `jupyter_client` client."""

    async def start(self) -> None:
        """Connect to it and load voice_kernel in it.

        Raises:
            ClientError: it is not there, does not answer (a cell runs), or cannot load voice_kernel.
        """
        from jupyter_client.asynchronous.client import AsyncKernelClient

        path = connection_path(self.name)
        client = AsyncKernelClient()
        try:
            client.load_connection_file(path)
        except (OSError, ValueError) as error:
            raise no_kernel(self.name) from error
        self.client = client
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=START_LIMIT_S)
            await load(client, self.name)
        except (RuntimeError, TimeoutError) as error:
            await self.stop()
            raise ClientError(
                _("The kernel does not answer."),
                hint=_("Is a cell running in it? Try again after that."),
                retryable=True,
            ) from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Disconnect; the kernel goes on."""
        if self.client is not None:
            self.client.stop_channels()
            self.client = None

    async def is_alive(self) -> bool:
        """Return whether its heart beats."""
        return self.client is not None and bool(await self.client.is_alive())

    async def interrupt(self) -> None:
        """Interrupt what runs in it."""
        channel = self.client.control_channel
        channel.send(self.client.session.msg("interrupt_request", {}))


class Client:
    """A connection to a session in a kernel of its own; an async context manager.

    Args:
        cwd: folder in which the kernel starts.
        approve: tools that are approved beforehand.
        kernel_name: which kernel to start.
        asks: whether a person is there who sees approvals and answers them.
        scripted: whether what is said was written down before.
    """

    def __init__(
        self,
        cwd: Path,
        approve: Sequence[str] = (),
        kernel_name: str = "python3",
        *,
        asks: bool = False,
        scripted: bool = False,
    ) -> None:
        self.surface_id = f"client-{uuid.uuid4().hex[:12]}"
        self._approve = list(approve)
        self._asks = asks
        self._scripted = scripted
        self._kernel = OwnKernel(cwd, kernel_name)
        self._link: Link

    async def __aenter__(self) -> Client:
        """Start the kernel, load voice_kernel in it and say hello.

        Raises:
            ClientError: the kernel does not start, or cannot load voice_kernel.
        """
        await self._kernel.start()
        self._link = Link(self._kernel.client)
        self._link.open(
            Hello(
                surface_id=self.surface_id,
                kind="client",
                approve=self._approve,
                asks=self._asks,
                scripted=self._scripted,
            )
        )
        await anext(self.events())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the kernel; its children end with it."""
        await self._kernel.stop()

    def send(self, message: ToKernel, buffers: Sequence[bytes] = ()) -> None:
        """Send one message to the session."""
        self._link.send(message, buffers)

    def send_recording(self, pcm: bytes, rate_hz: int) -> None:
        """Send a whole recording of mono 16-bit PCM, as a microphone would."""
        self._link.send_recording(pcm, rate_hz)

    async def events(self) -> AsyncIterator[ToSurface]:
        """Yield what the session tells, from now on.

        Raises:
            ClientError: the kernel died.
        """
        async for message in published(self._kernel):
            event = self._link.received(message)
            if event is not None:
                yield event

    async def interrupt(self) -> None:
        """Interrupt what runs in the kernel."""
        await self._kernel.interrupt()


async def published(kernel: OwnKernel | RunningKernel) -> AsyncIterator[dict[str, Any]]:
    """Yield what a kernel publishes, from now on.

    Raises:
        ClientError: the kernel died.
    """
    while True:
        try:
            message = await kernel.client.get_iopub_msg(timeout=POLL_S)
        except queue.Empty:
            if not await kernel.is_alive():
                raise kernel_died() from None
            continue
        yield message


async def load(client: Any, kernel_name: str) -> None:
    """Load voice_kernel in a kernel.

    Raises:
        ClientError: it cannot be loaded.
    """
    reply = await client.execute_interactive(
        LOAD,
        silent=True,
        store_history=False,
        allow_stdin=False,
        timeout=START_LIMIT_S,
        output_hook=lambda _message: None,
    )
    check_loaded(reply, kernel_name)


def connection_path(name: str) -> str:
    """Return where a connection file is, given as a path or as a name in Jupyter's runtime folder.

    Raises:
        ClientError: there is none.
    """
    from jupyter_client.connect import find_connection_file

    try:
        return str(find_connection_file(name))
    except OSError as error:
        raise no_kernel(name) from error


def no_kernel(name: str) -> ClientError:
    """Return the error for a connection file that is none."""
    return ClientError(
        _("There is no kernel to connect to at {name}.").format(name=name),
        hint=_("`%connect_info` in its notebook names the connection file."),
    )


def environment() -> dict[str, str]:
    """Return the environment for a kernel that is nobody's notebook, even when a notebook's starts it."""
    return {name: value for name, value in os.environ.items() if name != "JPY_SESSION_NAME"}


def check_loaded(reply: dict[str, Any], kernel_name: str) -> None:
    """Look at the reply to `LOAD`.

    Raises:
        ClientError: voice_kernel could not be loaded.
    """
    content = reply["content"]
    if content["status"] != "ok":
        name, value = content.get("ename", "Error"), content.get("evalue", "")
        if name == SettingsError.__name__:  # it is installed, and says itself what to mend
            raise ClientError(value)
        raise ClientError(
            _("The kernel cannot load voice_kernel: {name}: {value}").format(name=name, value=value),
            hint=_("Install voice-kernel into the environment of the kernel {kernel!r}.").format(
                kernel=kernel_name
            ),
        )


def kernel_died() -> KernelDied:
    """Return the error for a kernel that has ended by itself."""
    return KernelDied(
        _("The kernel died."), hint=_("Run it again; voice-kernel doctor checks the installation.")
    )
