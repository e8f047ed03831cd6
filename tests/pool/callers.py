"""Callers as a pool has them, and what they saw: witnesses beside the pool's own checks."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from warmline import AllocationTier
from warmline.errors import PoolClosed, PoolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warmline import WarmableResourcePool
    from warmline.pool import Lease
    from warmline.testing import ScriptedProvider, VirtualTimeLoop

DEFAULT_TIMEOUT_SEC = 8.0
SESSION_MAX_AGE_SEC = 30.0


class Callers:
    """Everyone who asks one pool of one provider.

    `DEFAULT_TIMEOUT_SEC` is its `acquire_timeout_sec`, `SESSION_MAX_AGE_SEC` its `session_max_age_sec`.
    """

    def __init__(self, loop: VirtualTimeLoop, provider: ScriptedProvider) -> None:
        self.loop = loop
        self.provider = provider
        self.all: list[Caller] = []
        self.stalled_sec = 0.0
        self.shut = False  # from when on `PoolClosed` is an answer
        self.taken_at = math.inf  # the deadline of a shutdown: it takes what is still held

    def __iter__(self) -> Iterator[Caller]:
        return iter(self.all)

    def call(
        self, pool: WarmableResourcePool[Any], session_id: str | None, timeout: float | None = None, how: str = "lease"
    ) -> None:
        """One more asks, now."""
        self.all.append(Caller(self, pool, session_id, timeout, how))

    def pick(self, which: int) -> Caller | None:
        """Any of them."""
        return self.all[which % len(self.all)] if self.all else None

    def holders(self) -> list[Caller]:
        """Callers that hold something and whose session nobody else has ended."""
        alive = [c for c in self.all if c.resource is not None and not c.task.done() and not c.enough.is_set()]
        return [c for c in alive if not c.ended]

    def nothing_is_closed_under_its_holder(self) -> None:
        """But by a shutdown at its deadline, and where a session that holds no lease has long been silent."""
        now = self.loop.time()
        for caller in self.holders() if now < self.taken_at else []:
            silent_sec = now - caller.got_at + self.stalled_sec
            if caller.how == "lease" or silent_sec < SESSION_MAX_AGE_SEC:
                assert not caller.resource.closes, "a resource was closed under its holder"

    def session_ends(self, session_id: str | None) -> None:
        """A session that is released ends for all its callers."""
        for caller in self.all:
            if session_id is not None and caller.session_id == session_id:
                caller.ended = True

    def nobody_hangs(self) -> None:
        """All are done, and none failed in a way that it did not expect."""
        assert all(caller.task.done() for caller in self.all), "a caller hangs after shutdown"
        failures = [caller.task.exception() for caller in self.all if not caller.task.cancelled()]
        assert not any(failures), failures


class Caller:
    """One caller: asks, holds until told, gives back."""

    def __init__(
        self,
        callers: Callers,
        pool: WarmableResourcePool[Any],
        session_id: str | None,
        timeout: float | None,
        how: str,
    ) -> None:
        self.callers = callers
        self.pool = pool
        self.session_id = session_id
        self.timeout = timeout
        self.how = how
        self.enough = asyncio.Event()
        self.fail = False
        self.resource: Any = None
        self.lease: Lease[Any] | None = None
        self.got_at = math.inf
        self.ended = False  # by a release of its session, in whoever's name
        self.task = callers.loop.create_task(self.run())

    async def run(self) -> None:
        loop = self.callers.loop
        asked_at, made_before = loop.time(), len(self.callers.provider.made)
        limit = DEFAULT_TIMEOUT_SEC if self.timeout is None else self.timeout
        try:
            if self.how == "lease":
                await self._lease(made_before)
            else:
                await self._hold(made_before)
        except PoolClosed:
            assert self.callers.shut, "turned away by a pool that nobody shut down"
        except PoolError:
            assert loop.time() <= asked_at + limit + self.callers.stalled_sec + 1e-6, "an acquire outlived its deadline"
        except ZeroDivisionError:
            pass

    async def cancelled(self, after: int, again: int | None) -> None:
        """Cancel it after so many ticks, and perhaps again after so many more; it must end, and say so."""
        for _ in range(after):
            await asyncio.sleep(0)
        asked = self.task.cancel()
        if again is not None:
            for _ in range(again):
                await asyncio.sleep(0)
            self.task.cancel()
        await asyncio.wait([self.task])
        assert self.task.cancelled() or not asked, "a cancel was swallowed"

    async def _lease(self, made_before: int) -> None:
        async with self.pool.lease(self.session_id, timeout=self.timeout) as lease:
            self.lease = lease
            self._got(lease.resource, lease.tier, made_before)
            await self.enough.wait()
            if self.fail:
                raise ZeroDivisionError

    async def _hold(self, made_before: int) -> None:
        tier: AllocationTier | None = None
        if self.session_id is None:
            resource = await self.pool.acquire(timeout=self.timeout)
        else:
            resource, tier = await self.pool.acquire_for_session(self.session_id, timeout=self.timeout)
        self._got(resource, tier, made_before)
        try:
            await self.enough.wait()
        finally:
            self.callers.session_ends(self.session_id)
            if self.session_id is None:
                await self.pool.release(resource, broken=self.fail)
            else:
                await self.pool.release_for_session(self.session_id, broken=self.fail)

    def _got(self, resource: Any, tier: AllocationTier | None, made_before: int) -> None:
        self.resource, self.got_at = resource, self.callers.loop.time()
        assert resource in self.callers.provider.made, "a resource of another provider"
        if tier is AllocationTier.WARM:
            assert resource.serial < made_before, "WARM, but made after the caller asked"
        for other in self.callers.holders():
            if other is not self and other.resource is resource:
                assert self.session_id is not None, "two anonymous callers hold one resource"
                assert other.session_id == self.session_id, "two sessions hold one resource"
