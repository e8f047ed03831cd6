"""The server behind a port."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from warmline.agent.wire import MAX_FRAME_BYTES

__all__ = ["Door"]

_GRACE_SEC = 3


class Door:
    """Serves an ASGI application on a socket until it is closed."""

    def __init__(self, app: Callable[..., Any], listening: socket.socket, log_level: str) -> None:
        self.port: int = listening.getsockname()[1]
        self._listening = listening
        self._server = _Server(_uvicorn_config(app, log_level))

    async def serve(self) -> None:
        """Until `close`; connections that are open then have a few seconds."""
        await self._server.serve(sockets=[self._listening])

    def close(self) -> None:
        """Take no more, and end."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _uvicorn_config(app: Callable[..., Any], log_level: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        # Our own limit is lower and explains itself; this one only guards the memory.
        ws_max_size=16 * MAX_FRAME_BYTES,
        log_level=log_level,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_SEC,
    )
