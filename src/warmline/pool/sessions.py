"""Who uses a resource: a session, the callers that wait on its behalf, and how a use ended."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from warmline.pool.tier import AllocationTier

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from warmline.errors import PoolError
    from warmline.pool.entry import Entry

__all__ = ["Session", "Use", "Waiter"]


class Use(Enum):
    """How a use of a resource ended."""

    FINE = "fine"
    CUT = "cut"
    """Cancelled: the resource is trusted again only after a reset."""
    BROKEN = "broken"
    """An exception, or the holder's own verdict: never lent again."""
    UNUSED = "unused"
    """The caller left before it got the resource."""


class Waiter:
    """One caller inside an acquire. `future` exists only once it really waits; the core never touches it."""

    granted = False
    granted_at: float = 0.0
    left = False
    error: PoolError | None = None
    future: asyncio.Future[None] | None = None
    tier = AllocationTier.COLD
    joined = False

    def __init__(
        self, session: Session, asked_seq: int, asked_at: float, deadline: float, lease: bool, prefetch: bool
    ) -> None:
        self.session = session
        self.asked_seq = asked_seq
        self.asked_at = asked_at
        self.deadline = deadline
        self.lease = lease
        self.prefetch = prefetch  # nobody's call waits on it: the pool asks on behalf of a session

    @property
    def done(self) -> bool:
        """Served, refused or gone."""
        return self.granted or self.left or self.error is not None

    @property
    def waited_ms(self) -> float:
        """From the request to the hand-over."""
        return (self.granted_at - self.asked_at) * 1e3


class Session:
    """One use of one resource, from the first request to the return; an anonymous use has no id.

    It either waits (it is in the queue, `entry` is None), holds (`entry` is leased to it) or has ended. `holders`
    counts the acquires and open leases that keep the resource; a prefetch alone keeps it with none.

    What most sessions never change stays on the class: an uncontended acquire makes one session and little else.
    """

    entry: Entry | None = None
    tier = AllocationTier.WARM
    holders = 0
    leases = 0
    grants = 0
    prefetched = False
    touched = False
    flagged = False
    asking = False
    ended = False
    waiters: Sequence[Waiter] = ()
    unclaimed: Sequence[Waiter] = ()
    """Served, but their tasks have not run since."""

    def __init__(self, session_id: str | None, asked_seq: int, now: float) -> None:
        self.id = session_id
        self.asked_seq = asked_seq
        self.alive_at = now

    def __repr__(self) -> str:
        return f"<Session {'waits' if self.entry is None else 'holds'}>"
