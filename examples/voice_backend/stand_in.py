"""Stands in for every provider of the example: a server on loopback that takes its time to answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

__all__ = ["Connection", "StandIn"]


class Connection:
    """A connection that answers what it is asked."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, question: str) -> str:
        """A round trip."""
        self._writer.write(f"{question}\n".encode())
        await self._writer.drain()
        return (await self._reader.readline()).decode().strip()

    async def aclose(self) -> None:
        """Hang up."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


class StandIn:
    """The server; `port` is known once it listens. `open` counts its connections."""

    def __init__(self, answer_sec: float) -> None:
        self.port: int = 0
        self.open: int = 0
        self._answer_sec = answer_sec

    async def connect(self) -> Connection:
        """A new connection to it."""
        return Connection(*await asyncio.open_connection("127.0.0.1", self.port))

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """As long as the application lives."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with suppress(ConnectionError):
            while question := await reader.readline():
                await asyncio.sleep(self._answer_sec)
                writer.write(b"answer to " + question)
        writer.close()
        self.open -= 1
