"""A TCP proxy on loopback that makes WebSockets slow: what a hub on another continent feels like.

Only connections that become WebSockets are delayed, in each direction; pages and files load as ever. Order
and throughput stay: a byte leaves as long after it came as every other one.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

CHUNK_BYTES = 65_536
START_S = 60.0


class SlowProxy:
    """Forwards connections to a port of this machine.

    Args:
        to_port: where to.
        delay_s: how much later what a WebSocket carries arrives, each way.
    """

    def __init__(self, to_port: int, delay_s: float) -> None:
        self._to_port = to_port
        self._delay_s = delay_s
        self._pumps: set[asyncio.Task[None]] = set()
        self.web_sockets = 0
        """WebSockets that were delayed so far."""

    async def serve(self) -> asyncio.Server:
        """Listen on a free port."""
        return await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        delayed = asyncio.Event()
        pumps = [
            asyncio.ensure_future(self._pump(reader, there_writer, delayed, watch=True)),
            asyncio.ensure_future(self._pump(there_reader, writer, delayed)),
        ]
        for pump in pumps:
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        delayed: asyncio.Event,
        *,
        watch: bool = False,
    ) -> None:
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    return
                target.write(data)
                await target.drain()

        async def receive() -> None:
            while True:
                data = await source.read(CHUNK_BYTES)
                if watch and not delayed.is_set() and b"upgrade: websocket" in data.lower():
                    delayed.set()
                    self.web_sockets += 1
                under_way.put_nowait((loop.time() + (self._delay_s if delayed.is_set() else 0), data))
                if not data:
                    return

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(receive(), deliver())
        target.close()


@contextlib.contextmanager
def slow_proxy(to_port: int, delay_s: float) -> Iterator[tuple[int, SlowProxy]]:
    """Run a proxy in a thread of its own; yields its port and itself."""
    proxy = SlowProxy(to_port, delay_s)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(proxy.serve(), loop).result(START_S)
    try:
        yield server.sockets[0].getsockname()[1], proxy
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_S)
