"""From a host name to an open, encrypted socket: each phase timed."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from warmline.connections.http.socket_options import SocketCare
from warmline.connections.http.wire import Wire

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Sequence

    from warmline.connections.http.names import ResolvedNames

__all__ = ["Dialler", "Opened"]

STAGGER_SEC = 0.25  # RFC 8305 section 8: the delay before the next address is tried beside the first


@dataclass(slots=True)
class Opened:
    """How long each step of opening a connection took; 0 for a step that was not needed."""

    dns_ms: float = 0.0
    tcp_ms: float = 0.0
    tls_ms: float = 0.0


@dataclass(slots=True)
class Dialler:
    """Opens one connection. `opened` and `wire` tell afterwards how that went.

    Attributes:
        names: where addresses come from.
        care: socket options.
        local_address: the address to connect from; None leaves it to the system.
    """

    names: ResolvedNames
    care: SocketCare = field(default_factory=SocketCare)
    local_address: str | None = None
    opened: Opened = field(default_factory=Opened)
    wire: Wire | None = None

    async def connect(self, host: str, port: int) -> Wire:
        """Resolve and connect; a name whose addresses all fail is resolved anew once.

        Raises:
            OSError: no address, or none that answers.
        """
        try:
            return await self._connect_by_name(host, port)
        except OSError:
            if self.names.refresh_ahead(host, port) is None:
                raise
            self.names.forget(host, port)
            return await self._connect_by_name(host, port)

    async def encrypt(self, context: ssl.SSLContext, hostname: str | None, timeout_sec: float | None = None) -> None:
        """TLS on the open socket.

        Raises:
            ssl.SSLError, OSError: the handshake failed.
        """
        assert self.wire is not None
        began = time.perf_counter()
        await self.wire.start_tls(context, hostname, timeout_sec)
        self.opened.tls_ms += (time.perf_counter() - began) * 1e3

    async def _connect_by_name(self, host: str, port: int) -> Wire:
        began = time.perf_counter()
        addresses = await self.names.addresses(host, port)
        resolved = time.perf_counter()
        self.wire = await first_connected(addresses, lambda address: self._connect_to(address, port))
        self.opened.dns_ms += (resolved - began) * 1e3
        self.opened.tcp_ms += (time.perf_counter() - resolved) * 1e3
        return self.wire

    async def _connect_to(self, address: str, port: int) -> Wire:
        loop = asyncio.get_running_loop()
        sock = self._socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            await loop.sock_connect(sock, (address, port))
            _, wire = await loop.create_connection(lambda: Wire(self.care.before_upload, self.care.let_wait), sock=sock)
        except BaseException:
            sock.close()
            raise
        self.care.apply(sock)
        return wire

    def _socket(self, family: socket.AddressFamily) -> socket.socket:
        # With its protocol named, or asyncio does not turn Nagle's algorithm off.
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            sock.setblocking(False)
            self.care.before_connecting(sock)
            if self.local_address is not None:
                sock.bind((self.local_address, 0))
        except BaseException:
            sock.close()
            raise
        return sock


async def first_connected(addresses: Sequence[str], connect: Callable[[str], Awaitable[Wire]]) -> Wire:
    """The first of `addresses` that answers; each is tried `STAGGER_SEC` after the one before it (RFC 8305).

    Raises:
        OSError: none did; the last failure.
    """
    if len(addresses) == 1:
        return await connect(addresses[0])
    untried = list(addresses)
    attempts: set[asyncio.Future[Wire]] = set()
    failure: BaseException = OSError("the name has no address")
    try:
        while untried or attempts:
            if untried:
                attempts.add(asyncio.ensure_future(connect(untried.pop(0))))
            wait_sec = STAGGER_SEC if untried else None
            done, _ = await asyncio.wait(attempts, timeout=wait_sec, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                attempts.discard(attempt)
                error = attempt.exception()
                if error is None:
                    return attempt.result()
                failure = error
        raise failure
    finally:
        await _give_up(attempts)


async def _give_up(attempts: set[asyncio.Future[Wire]]) -> None:
    """Nobody needs the slower ones."""
    for attempt in attempts:
        attempt.cancel()
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(result, Wire):
            result.abort()
