"""One aiohttp connection as a pool's resource, and its names from our own cache."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler

from warmline.connections.http.connection_record import ConnectionRecord
from warmline.connections.http.socket_options import LARGE_UPLOAD_BYTES

if TYPE_CHECKING:
    from warmline.connections.http.dial import Opened
    from warmline.connections.http.names import ResolvedNames
    from warmline.connections.http.socket_options import SocketCare

__all__ = ["AiohttpConnection", "CachedResolver", "CountingHandler"]


class CountingHandler(ResponseHandler):
    """aiohttp's protocol, which also knows how much came, and whether anyone had asked for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.received_bytes: int = 0
        self.idle: bool = False

    def data_received(self, data: bytes) -> None:
        """Bytes came; while idle they are no answer, and the end of the connection."""
        self.received_bytes += len(data)
        if self.idle and data:  # aiohttp itself comes with nothing, to go on parsing
            self.abort()
        else:
            super().data_received(data)


class AiohttpConnection(ConnectionRecord):
    """`handler` is aiohttp's side of it, `opened` how long its opening took, phase by phase."""

    def __init__(self, handler: CountingHandler, opened: Opened) -> None:
        super().__init__()
        self.handler = handler
        self.opened = opened
        self.fell_silent: bool = False
        self._upload_bytes = 0
        self._waits = False
        self._received_before = 0
        closed = handler.closed
        if closed is None:
            self.died()
        else:
            closed.add_done_callback(self._die)

    def begin_exchange(self, upload_bytes: int | None, care: SocketCare) -> None:
        """A request of so many bytes, None for who knows how many, is about to be sent."""
        large = upload_bytes is None or upload_bytes > LARGE_UPLOAD_BYTES
        upload_bytes = upload_bytes or 0
        transport = self.handler.transport
        if transport is not None:
            sock = transport.get_extra_info("socket")
            care.before_upload(sock, upload_bytes)
            if large is not self._waits:
                self._waits = large
                care.let_wait(sock, large)
        self.handler.idle = False
        self.begun()
        self._upload_bytes = upload_bytes
        self._received_before = self.handler.received_bytes

    @property
    def heard_nothing(self) -> bool:
        """Not a byte came in the present exchange."""
        return self.handler.received_bytes == self._received_before

    def end_exchange(self) -> bool:
        """The response ended; True when it was complete and the connection can carry another."""
        if self.heard_nothing or not self.clear_session_state():
            return False
        self.ended(complete=True)
        self.arrived(self._upload_bytes)
        return True

    def clear_session_state(self) -> bool:
        """The pool's reset: True when no trace of a request is left on it."""
        if self.handler.should_close or not self.handler.is_connected():
            return False
        self.handler.idle = True
        return True

    async def aclose(self) -> None:
        """Close it, whatever it is doing."""
        self.handler.abort()
        await asyncio.sleep(0)

    def _die(self, closed: asyncio.Future[None]) -> None:
        failure = None if closed.cancelled() else closed.exception()
        self.fell_silent = failure is not None and isinstance(failure.__cause__, TimeoutError)
        self.died()


class CachedResolver(AbstractResolver):
    """aiohttp's resolver over `ResolvedNames`: aiohttp's own cache makes somebody wait every 10 s."""

    def __init__(self, names: ResolvedNames) -> None:
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of `host` that are of `family`."""
        found = await self._names.addresses(host, port)
        results = [_result(host, address, port) for address in found]
        return [each for each in results if family in (socket.AF_UNSPEC, each["family"])]

    async def close(self) -> None:
        """The names belong to the origin."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET if ipaddress.ip_address(address).version == 4 else socket.AF_INET6
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=numeric)
