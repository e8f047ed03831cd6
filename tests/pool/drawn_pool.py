"""Any pool that can be configured, on virtual time: opened, watched after every tick, and ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from tests.pool.callers import DEFAULT_TIMEOUT_SEC, SESSION_MAX_AGE_SEC, Callers
from tests.pool.checked_loop import CheckedLoop
from tests.pool.lockstep import LockstepThreads
from warmline import WarmableResourcePool
from warmline.testing import ScriptedProvider, ScriptedResource, check_invariants

if TYPE_CHECKING:
    from collections.abc import Coroutine


class DrawnPool(RuleBasedStateMachine):
    """The knobs are drawn; what happens to the pool is for the rules of a subclass."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = CheckedLoop()
        self.provider = ScriptedProvider(latency_sec=0.4)
        self.callers = Callers(self.loop, self.provider)
        self.others = ScriptedProvider()
        self.released_ids: set[str] = set()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize(
        floor=st.integers(0, 3),
        max_size=st.sampled_from([None, 3, 4, 6]),
        budget=st.sampled_from([None, 6, 30]),
        hooks=st.sets(st.sampled_from(["warm", "validate", "keepalive", "reset", "active"])),
        ages=st.booleans(),
        keepalive_sec=st.sampled_from([None, 5.0, 15.0]),
        max_spares=st.sampled_from([None, 0, 1, 4]),
        at_once=st.sampled_from([16, 1, 2]),
        stale=st.sampled_from(["flag", "flag", "reclaim"]),
        prefer=st.booleans(),
        sync=st.sampled_from([False, False, False, True]),
        aware=st.booleans(),
        recycle=st.booleans(),
        refill=st.booleans(),
        plain=st.sampled_from([False, False, True]),  # nothing that a return would have to ask
    )
    def open(
        self,
        floor: int,
        max_size: int | None,
        budget: int | None,
        hooks: set[str],
        ages: bool,
        keepalive_sec: float | None,
        max_spares: int | None,
        at_once: int,
        stale: Literal["flag", "reclaim"],
        prefer: bool,
        sync: bool,
        aware: bool,
        recycle: bool,
        refill: bool,
        plain: bool,
    ) -> None:
        if plain:
            self.provider.alive, hooks, ages, recycle = None, hooks & {"warm"}, False, True
            prefer, keepalive_sec = False, None
        self.provider.sync = sync
        if sync:  # threads sleep in real time
            self.provider.latency_sec, self.provider.slow_sec = 0.0, 0.001
        limits: dict[str, Any] = {"max_idle_sec": 20.0, "max_lifetime_sec": 90.0} if ages else {}
        self.max_size = self.widest = max_size or 10**9
        self.budget = budget
        self.aware = aware
        self.pool: WarmableResourcePool[Any] = WarmableResourcePool(
            **self.provider.hooks("close", *hooks),
            warm_pool_size=floor,
            max_size=max_size,
            creates_per_minute=budget,
            max_waiting=6,
            acquire_timeout_sec=DEFAULT_TIMEOUT_SEC,
            session_max_age_sec=SESSION_MAX_AGE_SEC,
            stale_sessions=stale,
            keepalive_interval_sec=keepalive_sec,
            max_spares=max_spares,
            max_concurrent_creates=at_once,
            prefer_fn=_prefer if prefer else None,
            session_awareness=aware,
            recycle=recycle,
            enable_background_warmup=refill,
            **limits,
        )
        self.starts: list[float] = []
        begin = self.provider._begin

        def noted() -> None:
            begin()
            self.starts.append(self.loop.time())

        self.provider._begin = noted  # type: ignore[method-assign]  # a witness of its own
        self.loop.check = self.check
        self.run(self._prepare())

    async def _prepare(self) -> None:
        self.pool._engine.bind()
        self.pool._engine.work.runner.threads = LockstepThreads("hooks")
        await self.pool.prepare()

    def check(self) -> None:
        check_invariants(self.pool)
        self.callers.nothing_is_closed_under_its_holder()

    # --- what outsiders saw ----------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_closed_twice(self) -> None:
        assert not self.provider.closed_twice

    @invariant()
    def the_provider_saw_no_more_than_the_budget(self) -> None:
        if getattr(self, "budget", None) is not None:
            for first, last in zip(self.starts, self.starts[self.budget :], strict=False):
                assert last - first >= 60.0 - 1e-6

    def teardown(self) -> None:
        try:
            self._end()
        finally:
            self.loop.close()

    def _end(self) -> None:
        if not hasattr(self, "pool"):
            return
        for caller in self.callers:
            caller.enough.set()
        self.run(asyncio.sleep(1))
        self.callers.shut = True
        self.callers.taken_at = self.loop.time()
        self.run(self.pool.shutdown(0))
        self.run(asyncio.sleep(60))
        check_invariants(self.pool)
        self.callers.nobody_hangs()
        assert not asyncio.all_tasks(self.loop), "a task is left after shutdown"
        # A close that was scripted to fail leaves its resource open; everything else was closed.
        failed = (
            self.pool.snapshot()["counters"]["close_failures"] + self.pool.snapshot()["counters"]["abandoned_hooks"]
        )
        assert len(self.provider.open) <= failed + self.provider.count("close") - sum(
            r.closes for r in self.provider.made
        )
        assert self.pool.snapshot()["counts"]["live"] == 0


def _prefer(resource: ScriptedResource) -> float:
    """The oldest of three kinds; one has no opinion."""
    if resource.serial % 3 == 2:
        raise ArithmeticError
    return float(resource.serial % 3)
