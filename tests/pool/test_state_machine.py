"""Everything that can happen to a pool, in any order, on virtual time; every promise checked after every tick.

The pool's own checks are doubled by what the callers and the provider saw, so that the pool cannot agree with itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.pool.drawn_pool import DrawnPool
from warmline import OnDemandResourcePool
from warmline.errors import ForeignResource
from warmline.testing import Outcome

pytestmark = pytest.mark.core

SESSIONS = st.sampled_from(["ann", "ben", "cat", "dan", "eve"])
HOOKS = ["factory", "warm", "validate", "keepalive", "reset", "close", "active"]
OUTCOMES = st.sampled_from(list(Outcome))
BLOCKING = {Outcome.SLOW, Outcome.NEVER, Outcome.DEAF}  # a thread would do it in real time
SECONDS = st.sampled_from([0.0, 0.01, 0.3, 1.0, 4.0, 11.0, 35.0, 70.0])
TIMEOUTS = st.sampled_from([None, 0, 0.2, 1.0, 6.0])


class PoolMachine(DrawnPool):
    # --- callers ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.callers.shut)
    @rule(session=st.one_of(st.none(), SESSIONS), timeout=TIMEOUTS, how=st.sampled_from(["lease", "hold"]))
    def acquire(self, session: str | None, timeout: float | None, how: str) -> None:
        self.callers.call(self.pool, session, timeout, how)

    @precondition(lambda self: not self.callers.shut)
    @rule(session=SESSIONS, times=st.integers(2, 4))
    def acquire_at_once(self, session: str, times: int) -> None:
        for _ in range(times):
            self.callers.call(self.pool, session)

    @precondition(lambda self: not self.callers.shut)
    @rule(session=SESSIONS)
    def prefetch(self, session: str) -> None:
        async def prefetch() -> None:
            self.pool.prefetch(session)

        self.run(prefetch())

    @rule(which=st.integers(0, 10**6), fail=st.booleans())
    def enough(self, which: int, fail: bool) -> None:
        if caller := self.callers.pick(which):
            caller.fail = fail
            caller.enough.set()

    @rule(which=st.integers(0, 10**6), after=st.integers(0, 4), again=st.one_of(st.none(), st.integers(0, 3)))
    def cancel(self, which: int, after: int, again: int | None) -> None:
        if caller := self.callers.pick(which):
            self.run(caller.cancelled(after, again))

    @rule(which=st.integers(0, 10**6), died=st.booleans())
    def give_up_on_the_resource(self, which: int, died: bool) -> None:
        """`lease.discard()`, `lease.invalidate()`: it is used on until the lease ends."""
        leases = [caller.lease for caller in self.callers.holders() if caller.lease is not None]
        if not leases or self.loop.time() >= self.callers.taken_at:
            return
        lease = leases[which % len(leases)]

        async def tell() -> None:
            lease.invalidate() if died else lease.discard()

        self.run(tell())

    @rule(session=SESSIONS)
    def release_session(self, session: str) -> None:
        async def release() -> None:
            for caller in self.callers:
                if caller.session_id == session and caller.resource is not None:
                    caller.ended = True
            await self.pool.release_for_session(session)

        self.run(release())

    @rule()
    def release_twice(self) -> None:
        ended = [c for c in self.callers if c.task.done() and c.resource is not None and c.resource.closes]
        if ended:
            assert self.run(self.pool.release(ended[0].resource)) is False

    @rule()
    def release_foreign(self) -> None:
        with contextlib.suppress(ForeignResource):
            self.run(self.pool.release(object()))
            pytest.fail("a foreign resource was taken")

    @rule(session=st.one_of(st.none(), SESSIONS))
    def a_lease_of_another_pool(self, session: str | None) -> None:
        async def mix_up() -> None:
            other = OnDemandResourcePool[Any](**self.others.hooks("close"), name="other")
            async with other, other.lease(session) as lease:
                for refused in (self.pool.release, functools.partial(self.pool.release_for_session, session)):
                    with pytest.raises(ForeignResource):
                        await refused(lease.resource)
                with pytest.raises(ForeignResource):
                    self.pool.invalidate(lease.resource)
                assert not lease.resource.closes

        self.run(mix_up())

    # --- the provider ----------------------------------------------------------------------------------------------

    @rule(hook=st.sampled_from(HOOKS), outcomes=st.lists(OUTCOMES, min_size=1, max_size=3))
    def script(self, hook: str, outcomes: list[Outcome]) -> None:
        blocking = BLOCKING if self.provider.sync else set()
        self.provider.script(hook, [outcome for outcome in outcomes if outcome not in blocking])

    @rule(down=st.booleans())
    def provider_goes(self, down: bool) -> None:
        self.provider.down = down

    @rule(which=st.integers(0, 10**6), told=st.booleans())
    def kill(self, which: int, told: bool) -> None:
        if not self.provider.open:
            return
        resource = self.provider.open[which % len(self.provider.open)]
        if resource.alive is not None:
            resource.alive = False

        async def tell() -> None:
            with contextlib.suppress(ForeignResource):  # a late result that was never the pool's
                self.pool.invalidate(resource)

        if told:
            self.run(tell())

    # --- time and operators ----------------------------------------------------------------------------------------

    @rule(seconds=SECONDS)
    def advance(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(seconds=st.sampled_from([0.1, 1.0, 12.0]))
    def stall(self, seconds: float) -> None:
        async def stall() -> None:
            self.loop.stalled = True
            self.loop.advance(seconds)
            self.callers.stalled_sec += seconds
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.loop.stalled = False

        self.run(stall())

    @rule(session=SESSIONS)
    def touch(self, session: str) -> None:
        self.pool.touch(session)

    @precondition(lambda self: not self.callers.shut)
    @rule(floor=st.integers(0, 3), max_size=st.sampled_from([3, 5, 8]))
    def resize(self, floor: int, max_size: int) -> None:
        self.widest = max(self.widest, max_size)
        self.run(self.pool.resize(floor, max_size))

    @rule()
    def rotate(self) -> None:
        self.run(self.pool.rotate())

    @rule(on=st.booleans())
    def suspend(self, on: bool) -> None:
        async def steer() -> None:
            (self.pool.suspend if on else self.pool.resume)()

        self.run(steer())

    @precondition(lambda self: not self.callers.shut)
    @rule(timeout=st.sampled_from([0.0, 1.0, 40.0]))
    def shutdown(self, timeout: float) -> None:
        self.callers.shut = True
        self.callers.taken_at = self.loop.time() + timeout
        self.run(self.pool.shutdown(timeout))

    @precondition(lambda self: not self.callers.shut)
    @rule(timeout=st.sampled_from([5.0, 100.0]))
    def drain(self, timeout: float) -> None:
        """A shutdown that waits for leases, while everything else goes on."""
        self.callers.shut = True
        self.callers.taken_at = self.loop.time() + timeout
        self.drained = self.loop.create_task(self.pool.shutdown(timeout))
        self.run(asyncio.sleep(0))


EXAMPLES = int(os.environ.get("WARMLINE_EXAMPLES", "120"))
TestPool = PoolMachine.TestCase
TestPool.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    derandomize="WARMLINE_EXAMPLES" not in os.environ,
    database=None,
    phases=[Phase.generate] if "WARMLINE_NO_SHRINK" in os.environ else list(Phase),
    suppress_health_check=list(HealthCheck),
)
