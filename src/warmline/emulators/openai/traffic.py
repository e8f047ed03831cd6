"""What came in: connections, handshakes, requests, and which request came over which connection."""

import asyncio
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Connection", "Traffic"]

# So many connections that ended are remembered one by one; the totals know all of them.
_REMEMBERED = 10_000
_CLOSE_GRACE_SEC = 0.01


class Connection:
    """One connection of a client. `protocol` is "http/1.1", "h2" or "websocket".

    `heard_at_sec` (monotonic) is when its latest bytes came.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        tls = transport.get_extra_info("ssl_object")
        self.transport = transport
        self.tls_version: str | None = tls.version() if tls else None
        self.protocol: str = (tls.selected_alpn_protocol() if tls else None) or "http/1.1"
        self.requests: int = 0
        self.in_flight: int = 0
        self.lost: asyncio.Event = asyncio.Event()
        self.heard_at_sec: float = time.monotonic()

    def close(self) -> None:
        """End it as a server does that has no more use for it: without waiting for the client's part of the end.

        asyncio would keep a TLS connection half open for 30 s when a client does not read.
        """
        self.transport.close()
        if self.tls_version is not None:
            asyncio.get_running_loop().call_later(_CLOSE_GRACE_SEC, self.transport.abort)

    def reset(self) -> None:
        """End it with a TCP reset: with a linger time of zero, the kernel sends one in place of a FIN."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:  # else it was ended before
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Traffic:
    """Counts. `accepted` counts TCP connections, also those whose TLS handshake never completed."""

    def __init__(self) -> None:
        self.accepted: int = 0
        self._handshakes = 0
        self._live: dict[asyncio.Transport, Connection] = {}
        self._all: deque[Connection] = deque(maxlen=_REMEMBERED)
        self._paths: Counter[str] = Counter()
        self._protocols: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()

    def count_accepted(self) -> None:
        """A TCP connection was accepted."""
        self.accepted += 1

    def opened(self, transport: asyncio.Transport) -> Connection:
        """A connection is ready for requests: its TLS handshake, if any, is complete."""
        connection = self._live[transport] = Connection(transport)
        self._all.append(connection)
        self._handshakes += connection.tls_version is not None
        return connection

    def connection_of(self, transport: asyncio.Transport) -> Connection:
        """The live connection of a transport."""
        return self._live[transport]

    def lost(self, transport: asyncio.Transport) -> None:
        """A connection is gone. Harmless when said twice."""
        if (connection := self._live.pop(transport, None)) is not None:
            connection.lost.set()

    @contextmanager
    def request(self, connection: Connection, path: str) -> Iterator[None]:
        """One request, from its head to the end of its answer."""
        connection.requests += 1
        connection.in_flight += 1
        self._paths[path] += 1
        self._protocols[connection.protocol] += 1
        try:
            yield
        finally:
            connection.in_flight -= 1

    def answered(self, status: int) -> None:
        """An answer has begun."""
        self._statuses[status] += 1

    def close_idle(self) -> int:
        """Close every connection without a request; returns how many."""
        idle = [connection for connection in self._live.values() if not connection.in_flight]
        for connection in idle:
            connection.close()
        return len(idle)

    def forget(self) -> None:
        """Begin to count anew; live connections stay, with no requests counted."""
        self.accepted = self._handshakes = 0
        self._all = deque(self._live.values(), maxlen=_REMEMBERED)
        for connection in self._all:
            connection.requests = 0
        for counter in (self._paths, self._protocols, self._statuses):
            counter.clear()

    def as_object(self) -> dict[str, object]:
        """For the control path."""
        return {
            "accepted": self.accepted,
            "handshakes": self._handshakes,
            "open": len(self._live),
            "requests": sum(self._protocols.values()),
            "requests_per_connection": [connection.requests for connection in self._all],
            "tls_versions": sorted({each.tls_version for each in self._all if each.tls_version}),
            "by_protocol": dict(self._protocols),
            "by_path": dict(self._paths),
            "by_status": {str(status): number for status, number in self._statuses.items()},
        }
