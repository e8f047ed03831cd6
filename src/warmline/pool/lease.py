"""The recommended way to use a resource: `async with pool.lease(session_id) as lease`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from warmline.pool.entry import CloseCause, EntryState
from warmline.pool.sessions import Use
from warmline.pool.tier import AllocationTier, Warmth

if TYPE_CHECKING:
    from types import TracebackType

    from warmline.pool.api import Acquires
    from warmline.pool.entry import Entry
    from warmline.pool.sessions import Session

T = TypeVar("T")

__all__ = ["Lease"]

_GONE = (EntryState.CLOSING, EntryState.CLOSED)


class Lease(Generic[T]):
    """One holder's right to use one resource, from `__aenter__` to `__aexit__`.

    After an exception the resource is closed; after a cancellation it is reset, or closed where there is no reset;
    otherwise it goes back. Leases of one session nest: the resource goes back with the last.

    Attributes:
        tier: where the resource came from. `joined`: COLD, by a creation that had begun before this caller asked.
        waited_ms: time in the queue. `acquire_ms`: from the call to the resource in hand.
    """

    __slots__ = (
        "_discarded",
        "_entry",
        "_pool",
        "_session",
        "_session_id",
        "_timeout",
        "acquire_ms",
        "joined",
        "tier",
        "waited_ms",
    )

    def __init__(self, pool: Acquires[T], session_id: str | None, timeout: float | None) -> None:
        self._pool = pool
        self._session_id = session_id
        self._timeout = timeout
        self._session: Session | None = None
        self._entry: Entry | None = None
        self._discarded = False
        self.tier: AllocationTier = AllocationTier.COLD
        self.joined: bool = False
        self.waited_ms: float = 0.0
        self.acquire_ms: float = 0.0

    @property
    def resource(self) -> T:
        """What was lent.

        Raises:
            RuntimeError: outside `async with`, or when the session was released meanwhile: it is another's now.
        """
        return cast("T", self._held().resource)

    @property
    def age_sec(self) -> float:
        """Seconds since the resource was made."""
        return self._pool._engine.now() - self._held().made_at

    @property
    def warmth(self) -> Warmth | None:
        """How far the warm-up was verified to have gone, where `warm_fn` says so."""
        return self._held().warmth

    def discard(self) -> None:
        """Close the resource when the session ends, whatever happens: never lend it again."""
        self._discarded = True

    def invalidate(self) -> None:
        """It died: the session's next acquire gets another; this one is closed when its holders let go.

        Raises:
            RuntimeError: outside `async with`, or when the session was released meanwhile.
            PoolNotReady: on another event loop than the pool's.
        """
        self._pool._here()
        self._pool._invalidate(self._held(), CloseCause.DIED)

    async def __aenter__(self) -> Lease[T]:
        if self._session is not None:
            raise RuntimeError("a lease can be entered once")
        await self._pool._enter(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session = self._session
        assert session is not None
        self._pool._here()
        self._entry = None
        self._pool._end_lease(session, Use.BROKEN if self._discarded else _use(kind))

    def _begin(self, session: Session, tier: AllocationTier, joined: bool, waited_ms: float, acquire_ms: float) -> None:
        self._session = session
        self._entry = session.entry
        self.tier = tier
        self.joined = joined
        self.waited_ms = waited_ms
        self.acquire_ms = acquire_ms

    def _held(self) -> Entry:
        entry, session = self._entry, self._session
        # What a shutdown took is closed, and nobody else's: whoever still cleans up behind it may look at it.
        if entry is None or session is None or (session.ended and entry.state not in _GONE):
            raise RuntimeError("the lease is not open")
        return entry


def _use(kind: type[BaseException] | None) -> Use:
    if kind is None:
        return Use.FINE
    return Use.CUT if issubclass(kind, asyncio.CancelledError) else Use.BROKEN
