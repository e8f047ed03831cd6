"""Looking at a pool: snapshots, events, invariants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmline.pool.api.bound import BoundPool
from warmline.pool.observation import EventStream
from warmline.pool.phase import Phase
from warmline.pool.snapshot import PoolSnapshot, snapshot_of

if TYPE_CHECKING:
    from warmline.events import Event

__all__ = ["Observes"]


class Observes(BoundPool):
    """Nothing here changes the pool, and nothing in a call waits for it."""

    def __init__(self) -> None:
        self._streams: list[EventStream] = []

    def snapshot(self) -> PoolSnapshot:
        """What the pool is and has done, frozen; safe to log: it holds no key and no session id."""
        return snapshot_of(self._state)

    def observe(self, limit: int = 1024) -> EventStream:
        """Events from now on, until the pool is shut down. They are built only while somebody observes; see
        `EventStream`."""
        stream = EventStream(limit, self._unobserve)
        self._streams.append(stream)
        self._state.emit = self._emit
        if self._state.phase is Phase.CLOSED:
            stream.close()
        return stream

    def _unobserve(self, stream: EventStream) -> None:
        self._streams.remove(stream)
        if not self._streams:
            self._state.emit = None

    def _emit(self, event: Event) -> None:
        for stream in self._streams:
            stream.append(event)

    def check_invariants(self) -> None:
        """Every promise of the pool, checked now; see `warmline.testing`.

        Raises:
            InvariantBroken: naming the first that does not hold.
        """
        from warmline.pool.invariants import InvariantBroken, check_state

        check_state(self._state)
        if self._state.waiting and self._engine.armed_at > self._state.wake_at:
            raise InvariantBroken("deadlines_kept", "callers wait, and no timer is set for their deadlines")
        if self._state.phase is Phase.CLOSED and self._engine.left_over:
            raise InvariantBroken("closed_means_idle", f"left after shutdown: {self._engine.left_over}")
