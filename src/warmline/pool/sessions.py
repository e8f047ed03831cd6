"""Who uses a resource: a session, the callers that wait on its behalf, and how a use ended."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from warmline.pool.tier import AllocationTier

if TYPE_CHECKING:
    import asyncio

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

    __slots__ = (
        "asked_at",
        "asked_seq",
        "deadline",
        "error",
        "future",
        "granted",
        "granted_at",
        "joined",
        "lease",
        "left",
        "prefetch",
        "session",
        "tier",
    )

    def __init__(
        self, session: Session, asked_seq: int, asked_at: float, deadline: float, lease: bool, prefetch: bool
    ) -> None:
        self.session = session
        self.lease = lease
        self.prefetch = prefetch  # nobody's call waits on it: the pool asks on behalf of a session
        self.granted_at = asked_at
        self.asked_seq = asked_seq
        self.asked_at = asked_at
        self.deadline = deadline
        self.granted = False
        self.left = False
        self.error: PoolError | None = None
        self.future: asyncio.Future[None] | None = None
        self.tier = AllocationTier.COLD
        self.joined = False

    @property
    def done(self) -> bool:
        """Served, refused or gone."""
        return self.granted or self.left or self.error is not None


class Session:
    """One use of one resource, from the first request to the return; an anonymous use has no id.

    It either waits (it is in the queue, `entry` is None), holds (`entry` is leased to it) or has ended. `holders`
    counts the acquires and open leases that keep the resource; a prefetch alone keeps it with none.
    """

    __slots__ = (
        "alive_at",
        "asked_seq",
        "asking",
        "ended",
        "entry",
        "flagged",
        "grants",
        "holders",
        "id",
        "joined",
        "leases",
        "prefetched",
        "tier",
        "touched",
        "unclaimed",
        "waiters",
    )

    def __init__(self, session_id: str | None, asked_seq: int, now: float) -> None:
        self.id = session_id
        self.asked_seq = asked_seq
        self.alive_at = now
        self.entry: Entry | None = None
        self.tier = AllocationTier.WARM
        self.joined = False
        self.holders = 0
        self.leases = 0
        self.prefetched = False
        self.grants = 0
        self.touched = False
        self.flagged = False
        self.asking = False
        self.ended = False
        self.waiters: list[Waiter] = []
        self.unclaimed: list[Waiter] = []  # served, but their tasks have not run since

    def __repr__(self) -> str:
        return f"<Session {'waits' if self.entry is None else 'holds'}>"
