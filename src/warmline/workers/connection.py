"""The owner's end of a worker's socket: notices by itself that the worker's end has closed."""

import asyncio
import socket

__all__ = ["WorkerConnection"]


class WorkerConnection:
    """Reader and writer, and `lost`, which is done once the worker's end is closed, whoever reads or does not."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: "asyncio.Future[None]"
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.lost = lost

    @classmethod
    async def open(cls, sock: socket.socket) -> "WorkerConnection":
        """Take over a connected socket."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        protocol = _NoticesTheEnd(reader, loop)
        transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
        return cls(reader, asyncio.StreamWriter(transport, protocol, reader, loop), protocol.lost)


class _NoticesTheEnd(asyncio.StreamReaderProtocol):
    def __init__(self, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(reader, loop=loop)
        self.lost: asyncio.Future[None] = loop.create_future()

    def eof_received(self) -> bool | None:
        self._note()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._note()
        super().connection_lost(exc)

    def _note(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
