"""WebSocket connections by uvicorn and `websockets`, counted."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from warmline.emulators.openai.connections import OnConnection
from warmline.emulators.openai.emulation import Emulation

__all__ = ["ClientWebSocket"]


class ClientWebSocket(WebSocketsSansIOProtocol):
    """Takes over a connection that asked for an upgrade."""

    app: Any  # uvicorn declares no type

    def __init__(self, emulation: Emulation, **given: Any) -> None:
        super().__init__(**given)
        self._traffic = emulation.traffic

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Go on with a connection that is known already."""
        super().connection_made(transport)
        connection = self._traffic.connection_of(self.transport)
        connection.protocol = "websocket"
        self.app = OnConnection(self.app, self._traffic, connection)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, whoever ended it."""
        self._traffic.lost(self.transport)
        super().connection_lost(exc)
