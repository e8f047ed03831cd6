"""A TCP proxy that holds what passes for half a round trip each way.

The kernel completes the TCP handshake with the proxy at once; so that totals are right, the first bytes of a client
wait for the round trip that its handshake did not pay. Not modelled: slow start, lost packets, an address that does not
answer. `TunWan` has them all.
"""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from typing import Self

from warmline.emulators.listener import Listener

__all__ = ["WanProxy"]

_READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class _InFlight:
    """What is on its way. `data` empty is the end of the stream; `reset` is the end of the connection."""

    due_sec: float
    data: bytes
    reset: bool = False


class WanProxy:
    """Forwards from a listening socket to `host`:`port`, `rtt_sec` away. It closes the listener with itself."""

    def __init__(self, server: asyncio.Server, connections: set[asyncio.Task[None]]) -> None:
        self._server = server
        self._connections = connections

    @classmethod
    async def start(cls, listener: Listener, host: str, port: int, *, rtt_sec: float) -> Self:
        """Forward from now on."""
        connections: set[asyncio.Task[None]] = set()

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if (task := asyncio.current_task()) is not None:
                connections.add(task)
                task.add_done_callback(connections.discard)
            with contextlib.suppress(asyncio.CancelledError):  # asyncio would report the end of the proxy as an error
                await _carry(reader, writer, host, port, rtt_sec)

        return cls(await asyncio.start_server(carry, sock=listener), connections)

    async def aclose(self) -> None:
        """End it, and all connections through it."""
        self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, rtt_sec: float
) -> None:
    """One connection, both ways, to its end."""
    try:
        far_reader, far_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.transport.abort()
        return
    opened_sec = asyncio.get_running_loop().time()
    try:
        async with asyncio.TaskGroup() as ways:
            ways.create_task(_one_way(reader, far_writer, rtt_sec / 2, not_before_sec=opened_sec + rtt_sec))
            ways.create_task(_one_way(far_reader, writer, rtt_sec / 2, not_before_sec=0.0))
    finally:
        writer.close()
        far_writer.close()


async def _one_way(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_sec: float, *, not_before_sec: float
) -> None:
    queue: asyncio.Queue[_InFlight] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as ends:
        ends.create_task(_deliver(queue, writer))
        data = b"begun"
        while data:
            try:
                data, reset = await reader.read(_READ_BYTES), False
            except ConnectionError:
                data, reset = b"", True
            queue.put_nowait(_InFlight(max(loop.time(), not_before_sec) + delay_sec, data, reset))


async def _deliver(queue: asyncio.Queue[_InFlight], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        arriving = await queue.get()
        await asyncio.sleep(arriving.due_sec - loop.time())
        try:
            if arriving.reset:
                _reset(writer)
            elif arriving.data:
                writer.write(arriving.data)
                await writer.drain()
                continue
            else:
                writer.write_eof()
        except (OSError, RuntimeError):
            pass  # The other side is gone; nothing more can reach it.
        if not arriving.data:
            return


def _reset(writer: asyncio.StreamWriter) -> None:
    """End with a TCP reset: with a linger time of zero, the kernel sends one in place of a FIN."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
