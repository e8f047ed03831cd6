"""Connections of clients: HTTP/1.1 by uvicorn, HTTP/2 and WebSockets handed on, all of them counted.

What closes a connection is decided here: how long it idles, and the race of a request with a close.
"""

import asyncio
import time
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.traffic import Connection, Traffic

__all__ = ["ClientConnection", "OnConnection", "websocket_when_asked"]


class OnConnection:
    """ASGI middleware of one connection: counts its requests and says in their scope whose they are."""

    def __init__(self, app: ASGIApp, traffic: Traffic, connection: Connection) -> None:
        self._app = app
        self._traffic = traffic
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        with self._traffic.request(self._connection, scope["path"]):
            await self._app({**scope, "warmline.connection": self._connection}, receive, send)


class ClientConnection(H11Protocol):
    """A connection, HTTP/1.1 until its handshake chose HTTP/2 or its client asks for a WebSocket."""

    # uvicorn declares none of them; it hands the time-out to `call_later`, which takes parts of seconds as well.
    app: Any
    timeout_keep_alive: Any
    timeout_keep_alive_task: asyncio.TimerHandle | None

    def __init__(
        self,
        emulation: Emulation,
        *,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._emulation = emulation
        self._connection: Connection | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """TCP and, if any, TLS are up."""
        connection = self._connection = self._emulation.traffic.opened(transport)
        self.app = OnConnection(self.app, self._emulation.traffic, connection)
        if connection.protocol == "h2":
            from warmline.emulators.openai.http2 import take_over

            take_over(transport, self.app, self._emulation)
            return
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; the first of one may find the connection closing."""
        if self._connection and self._is_idle() and self._emulation.faults.take("close-race"):
            self._connection.close()
            return
        if self._connection:
            self._connection.heard_at_sec = time.monotonic()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """An answer is out; from here the connection idles."""
        self.timeout_keep_alive = self._idle_close_sec()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """It has idled for as long as it may."""
        if self._connection and not self.transport.is_closing():
            self._connection.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, whoever ended it."""
        self._emulation.traffic.lost(self.transport)
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete and not self.transport.is_closing()

    def _await_request(self) -> None:
        # uvicorn limits the time between requests alone, not that before the first.
        self.timeout_keep_alive_task = self.loop.call_later(self._idle_close_sec(), self.timeout_keep_alive_handler)

    def _idle_close_sec(self) -> float:
        return self._emulation.faults.idle_close_sec


def websocket_when_asked(emulation: Emulation, **given: Any) -> asyncio.Protocol:
    """A WebSocket that is counted; its library is imported for the first client that asks for one."""
    from warmline.emulators.openai.websocket import ClientWebSocket

    return ClientWebSocket(emulation, **given)
