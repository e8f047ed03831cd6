"""HTTP/2, which uvicorn does not speak, by hypercorn."""

import asyncio
import time
from typing import TYPE_CHECKING, cast

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from starlette.types import ASGIApp, Receive, Scope, Send

from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.traffic import Connection, Traffic

if TYPE_CHECKING:
    from hypercorn.typing import ASGIFramework

__all__ = ["take_over"]

# Idle connections are ended here: hypercorn's limit does not change while a connection lives.
_NEVER_SEC = 10**6


def take_over(transport: asyncio.Transport, app: object, emulation: Emulation) -> None:
    """Serve `app` by HTTP/2 on a connection whose handshake chose it, from now to its end."""
    loop = asyncio.get_running_loop()
    config = Config()
    config.accesslog = config.errorlog = None
    config.keep_alive_timeout = _NEVER_SEC
    connection = emulation.traffic.connection_of(transport)
    streams = _Streams(cast("ASGIApp", app), emulation, connection)
    wrapped = ASGIWrapper(cast("ASGIFramework", streams))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await TCPServer(wrapped, loop, config, WorkerContext(None), {}, reader, writer)

    protocol = _Http2Connection(serve, emulation.traffic, connection, loop)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)


class _Http2Connection(asyncio.StreamReaderProtocol):
    """Streams for hypercorn; says when the connection is gone."""

    def __init__(
        self,
        serve: "asyncio.streams._ClientConnectedCallback",
        traffic: Traffic,
        connection: Connection,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(asyncio.StreamReader(loop=loop), serve, loop)
        self._traffic = traffic
        self._connection = connection
        self._own_transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The serving begins."""
        self._own_transport = cast("asyncio.Transport", transport)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of any of its streams."""
        self._connection.heard_at_sec = time.monotonic()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, whoever ended it."""
        if self._own_transport is not None:
            self._traffic.lost(self._own_transport)
        super().connection_lost(exc)


class _Streams:
    """The requests of one connection; between them it idles, and may find itself closed as the next one arrives."""

    def __init__(self, app: ASGIApp, emulation: Emulation, connection: Connection) -> None:
        self._app = app
        self._faults = emulation.faults
        self._connection = connection
        self._in_flight = 0
        self._idle_timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one stream."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            if not self._in_flight and self._faults.take("close-race"):
                self._connection.close()
                await self._connection.lost.wait()  # or hypercorn would answer in place of the application
                return
        self._in_flight += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                loop = asyncio.get_running_loop()
                self._idle_timer = loop.call_later(self._faults.idle_close_sec, self._connection.close)
