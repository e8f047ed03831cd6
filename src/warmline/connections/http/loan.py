"""A connection in the hands of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warmline.pool import AllocationTier

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.pool import Lease

__all__ = ["Loan", "OwnLoan", "PoolLoan"]


class Loan:
    """From the moment that the request has `connection` to the one at which it gives it back, once.

    Attributes:
        tier, joined, acquire_ms: as of a pool's lease.
    """

    def __init__(self, connection: Any, tier: AllocationTier, joined: bool, acquire_ms: float) -> None:
        self.connection = connection
        self.tier = tier
        self.joined = joined
        self.acquire_ms = acquire_ms
        self._open = True
        connection.leased = True

    def give_back(self, *, intact: bool) -> None:
        """The request is over; without a moment's wait, so that no cancellation can come in between."""
        if self._open:
            self._open = False
            self.connection.leased = False
            self._let_go(intact)

    def _let_go(self, intact: bool) -> None:
        raise NotImplementedError


class PoolLoan(Loan):
    """Out of the pool. `returned` is called when it is back."""

    def __init__(self, lease: Lease[Any], returned: Callable[[], None]) -> None:
        super().__init__(lease.resource, lease.tier, lease.joined, lease.acquire_ms)
        self._lease = lease
        self._returned = returned

    def _let_go(self, intact: bool) -> None:
        if not intact:
            self._lease.discard()
        _without_waiting(self._lease.__aexit__(None, None, None))
        self._returned()


class OwnLoan(Loan):
    """Opened by the request itself, since the pool has given up for now. `taken` hears where it goes."""

    def __init__(self, connection: Any, acquire_ms: float, taken: Callable[[Any, bool], None]) -> None:
        super().__init__(connection, AllocationTier.COLD, False, acquire_ms)
        self._taken = taken

    def _let_go(self, intact: bool) -> None:
        self._taken(self.connection, intact)


def _without_waiting(work: Any) -> None:
    """Run a coroutine that has nothing to wait for: a pool's returns never wait."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("giving a connection back had to wait")
