"""Getting a resource: for a session, for one-off use, as a lease, or ahead of time."""

from __future__ import annotations

import logging
import math
from asyncio import get_running_loop
from typing import TYPE_CHECKING, TypeVar

from warmline.errors import ConfigError, PoolError, PoolTimeout
from warmline.events import AcquireFailed, ResourceAcquired
from warmline.pool import lending, prefetching, upkeep
from warmline.pool.api.release import Releases
from warmline.pool.lease import Lease
from warmline.pool.tier import AllocationTier

if TYPE_CHECKING:
    from warmline.pool.sessions import Session, Waiter

T = TypeVar("T")

__all__ = ["Acquires"]

logger: logging.Logger = logging.getLogger("warmline.pool")
_is_enabled_for, _DEBUG = logger.isEnabledFor, logging.DEBUG


class Acquires(Releases[T]):
    """The ways to a resource. Whoever may take may give back."""

    async def acquire_for_session(
        self,
        session_id: str,
        timeout: float | None = None,
    ) -> tuple[T, AllocationTier]:
        """The session's resource, and where it came from: its own, a warm spare, or a creation.

        Args:
            session_id: concurrent acquires of one session get one resource.
            timeout: seconds; None is `acquire_timeout_sec`, 0 takes only what is ready, `math.inf` waits.

        Raises:
            PoolTimeout, PoolSaturated, CreateFailed, PoolNotReady, PoolClosed: as their names say.
        """
        engine = self._engine
        if get_running_loop() is not engine.loop:
            self._refuse_loop()
        now = engine.now()
        session = lending.take(self._state, session_id, now)
        waiter = None
        if session is None:
            waiter = await self._wait(session_id, timeout, now, lease=False)
            session, tier = waiter.session, waiter.tier
        else:
            tier = session.tier
            if self._state.actions or self._state.wake_at < engine.armed_at:
                engine.perform()
        if self._state.emit is not None or _is_enabled_for(_DEBUG):
            self._note_acquired(session, tier, waiter)
        return session.entry.resource, tier  # type: ignore[union-attr]  # held, or the wait would have raised

    async def acquire(self, timeout: float | None = None) -> T:
        """A resource for a one-off use without a session; give it back with `release`. Arguments, errors: as above."""
        engine, state = self._engine, self._state
        if get_running_loop() is not engine.loop:
            self._refuse_loop()
        now = engine.now()
        session = lending.take(state, None, now)
        waiter = None
        if session is None:
            waiter = await self._wait(None, timeout, now, lease=False)
            session = waiter.session
        elif state.actions or state.wake_at < engine.armed_at:
            engine.perform()
        if state.emit is not None or _is_enabled_for(_DEBUG):
            self._note_acquired(session, session.tier, waiter)
        return session.entry.resource  # type: ignore[union-attr,no-any-return]  # held, or the wait would have raised

    def lease(self, session_id: str | None = None, timeout: float | None = None) -> Lease[T]:
        """`async with pool.lease(session_id) as lease: lease.resource` - the recommended form; see `Lease`."""
        return Lease(self, session_id, timeout)

    def prefetch(self, session_id: str) -> None:
        """Get this session's resource now, in the background; its first acquire joins.

        A failure surfaces there. What nobody comes for is given back on `release_for_session`, or after
        `session_max_age_sec`.

        Raises:
            PoolNotReady, PoolClosed: as in `acquire_for_session`.
        """
        self._here()
        lending.check_open(self._state)
        if self._knobs.session_awareness:
            prefetching.prefetch(self._state, session_id, self._engine.now())
            self._engine.perform()

    async def _wait(self, session_id: str | None, timeout: float | None, now: float, *, lease: bool) -> Waiter:
        try:
            waiter = self._ask(session_id, timeout, now, lease)
            if not waiter.done:
                waiter.future = self._engine.loop.create_future()  # type: ignore[union-attr]  # bound: a request was made
                try:
                    await waiter.future
                except BaseException:  # cancelled, perhaps in the instant of the hand-over: then it goes to the next
                    lending.withdraw(self._state, waiter, self._engine.now())
                    self._engine.perform()
                    raise
            if waiter.error is not None:
                raise waiter.error
            lending.claim(self._state, waiter)
        except PoolError as error:
            self._emit_failed(error, now)
            raise
        return waiter

    def _ask(self, session_id: str | None, timeout: float | None, now: float, lease: bool) -> Waiter:
        """One request; it may be served or refused at once."""
        state = self._state
        limit = self._knobs.acquire_timeout_sec if timeout is None else timeout
        if math.isnan(limit) or limit < 0:
            raise ConfigError(f"[{self.name}] timeout={timeout!r}: expected seconds, not negative")
        waiter = lending.request(state, session_id, now, now + limit, lease=lease, patient=limit > 0)
        if limit == 0 and not waiter.done:
            lending.withdraw(state, waiter, now)
            waiter.error = state.error(PoolTimeout, "nothing was ready")
            state.counters.timed_out += 1
        self._engine.perform()
        return waiter

    def _emit_failed(self, error: PoolError, asked_at: float) -> None:
        if self._state.emit is not None:
            now = self._engine.now()
            waited_ms = (now - asked_at) * 1e3
            self._state.emit(AcquireFailed(at_sec=now, pool=self.name, error=type(error).__name__, waited_ms=waited_ms))

    async def _enter(self, lease: Lease[T]) -> None:
        engine = self._engine
        self._here()
        now = engine.now()
        session = lending.take(self._state, lease._session_id, now, lease=True)
        waiter = None
        if session is None:
            waiter = await self._wait(lease._session_id, lease._timeout, now, lease=True)
            session = waiter.session
        elif self._state.actions or self._state.wake_at < engine.armed_at:
            engine.perform()
        tier = session.tier if waiter is None else waiter.tier
        joined = waiter is not None and waiter.joined
        waited_ms = 0.0 if waiter is None else waiter.waited_ms
        lease._begin(session, tier, joined, waited_ms, (engine.now() - now) * 1e3)
        self._note_acquired(session, tier, waiter)

    def _note_acquired(self, session: Session, tier: AllocationTier, waiter: Waiter | None) -> None:
        if self._state.emit is not None:
            acquired = ResourceAcquired(
                at_sec=self._engine.now(),
                pool=self.name,
                tier=tier.value,
                joined=waiter is not None and waiter.joined,
                waited_ms=0.0 if waiter is None else waiter.waited_ms,
                session_id=session.id,
            )
            self._state.emit(acquired)
        if _is_enabled_for(_DEBUG):
            of = f" for session {upkeep.short_id(session.id)}" if tier is AllocationTier.DEDICATED else ""
            logger.debug("[%s] Acquired %s resource%s", self.name, tier.name, of)
