"""What an origin and its pool know of a connection, whichever library's it is."""

from __future__ import annotations

import asyncio

__all__ = ["ConnectionRecord"]


class ConnectionRecord:
    """The record of one open connection.

    Attributes:
        alive: done when the connection is dead; the pool evicts it in that moment.
        exchanges: complete responses so far; 0 means unproven.
        verified_upload_bytes: the most that one answered request has sent: so wide is the congestion window.
        last_status: of the last response; 0 before the first.
        leased: a request has it.
        round_trip_ms: of the last warm-up request; None before the first.
        began_at_sec, proven_at_sec: event-loop time at which the last exchange began, and ended.
    """

    def __init__(self) -> None:
        self.alive: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.exchanges: int = 0
        self.verified_upload_bytes: int = 0
        self.last_status: int = 0
        self.leased: bool = False
        self.round_trip_ms: float | None = None
        self.proven_at_sec: float = 0.0
        self.began_at_sec: float = 0.0

    def begun(self) -> None:
        """An exchange begins."""
        self.began_at_sec = asyncio.get_running_loop().time()

    def ended(self, *, complete: bool) -> None:
        """An exchange ended; it is proof only when it was complete."""
        self.exchanges += complete
        self.proven_at_sec = asyncio.get_running_loop().time()

    def arrived(self, upload_bytes: int) -> None:
        """A request of so many bytes was answered: so many have been acknowledged."""
        self.verified_upload_bytes = max(self.verified_upload_bytes, upload_bytes)

    def died(self) -> None:
        """It can carry nothing more. Harmless when said twice."""
        if not self.alive.done():
            self.alive.set_result(None)
