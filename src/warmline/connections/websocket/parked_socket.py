"""One open WebSocket that nobody uses yet, and somebody reads."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any, Protocol

__all__ = ["ParkedSocket", "WebSocket"]

REMEMBERED_EVENTS = 256


class WebSocket(Protocol):
    """What is needed of a connection of the `websockets` library."""

    async def recv(self) -> str | bytes:
        """The next message; raises when the connection is closed. May be cancelled without losing one."""
        ...

    async def send(self, message: str) -> None:
        """Send a text message."""
        ...

    async def ping(self) -> Any:
        """Send a ping; returns an awaitable for its pong."""
        ...

    async def close(self) -> None:
        """Close with a handshake."""
        ...


class ParkedSocket:
    """An open, configured session.

    While it is parked a reader takes in whatever comes: only so are a close seen and the server's pings answered.

    Attributes:
        socket: the connection of the `websockets` library.
        client: what the opener made around it (an SDK's connection object), or the socket itself.
        events: what came while it was parked, the latest `REMEMBERED_EVENTS` messages, for who wants them.
        alive: done when the peer closed.
        parked_at_sec: event-loop time at which it was ready.
    """

    def __init__(self, socket: WebSocket, client: Any = None) -> None:
        loop = asyncio.get_running_loop()
        self.socket = socket
        self.client: Any = socket if client is None else client
        self.events: deque[str | bytes] = deque(maxlen=REMEMBERED_EVENTS)
        self.alive: asyncio.Future[None] = loop.create_future()
        self.parked_at_sec: float | None = None
        self._reader: asyncio.Task[None] | None = None

    def park(self) -> None:
        """From here on the reader reads."""
        loop = asyncio.get_running_loop()
        self.parked_at_sec = loop.time()
        self._reader = loop.create_task(self._read(), name="parked-socket-reader")

    async def ping(self) -> None:
        """A round trip. The pool bounds it."""
        await (await self.socket.ping())

    async def adopt(self) -> None:
        """The reader stops; every message from here on is the adopter's."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def aclose(self) -> None:
        """Stop reading and close."""
        await self.adopt()
        with contextlib.suppress(Exception):  # closed already, or not politely
            await self.socket.close()

    async def _read(self) -> None:
        try:
            while True:
                self.events.append(await self.socket.recv())
        except Exception:  # however it ended, it ended
            if not self.alive.done():
                self.alive.set_result(None)

    def __repr__(self) -> str:
        return f"<ParkedSocket {'dead' if self.alive.done() else 'alive'}>"
