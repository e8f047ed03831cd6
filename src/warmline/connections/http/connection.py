"""One HTTP connection as a pool's resource: is it alive, is it idle, what has it carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warmline.connections.http.connection_record import ConnectionRecord
from warmline.connections.http.dial import Dialler, Opened
from warmline.connections.http.network import NetworkBackend, NetworkStream
from warmline.connections.http.route import bytes_beyond_answer

if TYPE_CHECKING:
    from warmline.connections.http.names import ResolvedNames
    from warmline.connections.http.route import Route
    from warmline.connections.http.socket_options import SocketCare

__all__ = ["HttpConnection", "open_connection"]


class HttpConnection(ConnectionRecord):
    """Wraps one httpcore connection (`core`) to `origin`."""

    def __init__(self, origin: Any, core: Any, dialler: Dialler) -> None:
        super().__init__()
        self.origin = origin
        self.core = core
        self._dialler = dialler
        self._sent_before = self._received_before = 0
        self._watched = False
        self._watch()

    @property
    def opened(self) -> Opened:
        """How long its opening took, phase by phase."""
        return self._dialler.opened

    @property
    def fell_silent(self) -> bool:
        """It died of silence: whatever shares its route is in doubt too."""
        return self._dialler.wire is not None and self._dialler.wire.fell_silent

    def begin_exchange(self) -> None:
        """A request is about to be sent."""
        wire = self._dialler.wire
        self.begun()
        if wire is not None:
            wire.begin_exchange()
            self._sent_before, self._received_before = wire.sent_bytes, wire.received_bytes

    def answered(self, status: int) -> None:
        """The response's head is here, so everything that was sent has arrived."""
        self._watch()
        self.last_status = status
        self.arrived(self.uploaded_bytes)

    def end_exchange(self) -> bool:
        """The response ended; True when it was complete and the connection can carry another."""
        self._watch()
        complete = self.clear_session_state()
        self.ended(complete=complete)
        return complete

    @property
    def uploaded_bytes(self) -> int:
        """Sent in the present exchange."""
        wire = self._dialler.wire
        return 0 if wire is None else wire.sent_bytes - self._sent_before

    @property
    def heard_nothing(self) -> bool:
        """Not a byte came in the present exchange."""
        wire = self._dialler.wire
        return wire is None or wire.received_bytes == self._received_before

    def clear_session_state(self) -> bool:
        """The pool's reset: True when no trace of a request is left on it."""
        wire = self._dialler.wire
        if wire is None or not self.core.is_idle() or self.core.is_closed():
            return False
        if wire.unexpected or bytes_beyond_answer(self.core):
            return False
        wire.idle = True
        return True

    async def aclose(self) -> None:
        """Close it, whatever it is doing."""
        try:
            await self.core.aclose()
        finally:
            if self._dialler.wire is not None:
                self._dialler.wire.abort()

    def _watch(self) -> None:
        wire = self._dialler.wire
        if wire is not None and not self._watched:
            self._watched = True
            wire.dead.add_done_callback(self._die)

    def _die(self, _: object) -> None:
        self.died()

    def __repr__(self) -> str:
        return f"<HttpConnection, {self.exchanges} exchanges, {'dead' if self.alive.done() else 'alive'}>"


async def open_connection(route: Route, origin: Any, names: ResolvedNames, care: SocketCare) -> HttpConnection:
    """Connect and encrypt. Through a proxy nothing is opened yet: that happens with the first request.

    Raises:
        httpcore.ConnectError, httpcore.ConnectTimeout: it cannot be reached.
    """
    dialler = Dialler(names, care, route.local_address)
    backend = NetworkBackend(route.dialect, lambda: dialler)
    if not route.direct:
        return HttpConnection(origin, route.new_pool(backend).create_connection(origin), dialler)
    host = origin.host.decode("ascii")
    stream = await backend.connect_tcp(host, origin.port)
    if origin.scheme == b"https":
        await _encrypt(route, stream, host)
    return HttpConnection(origin, route.dialect.core.AsyncHTTP11Connection(origin=origin, stream=stream), dialler)


async def _encrypt(route: Route, stream: NetworkStream, host: str) -> None:
    route.tls.set_alpn_protocols(["http/1.1"])
    await stream.start_tls(route.tls, host)
