"""Many profiles under one maximum and one budget, in any order of use and failure, on virtual time.

Every pool's promises are checked after every tick; beside them stands what the providers and the callers saw.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.pool.callers import DEFAULT_TIMEOUT_SEC, Callers
from tests.pool.checked_loop import CheckedLoop
from warmline import PoolGroup, WarmableResourcePool
from warmline.errors import PoolClosed
from warmline.pool.decide import places_wanted
from warmline.testing import Outcome, ScriptedProvider, check_invariants

if TYPE_CHECKING:
    from collections.abc import Coroutine

pytestmark = pytest.mark.core

NAMES = ("ann", "ben", "cat", "dan")
LAST = "eve"  # asked for at the end only: a new profile is when empty pools go
PROFILES = st.sampled_from(NAMES)
SESSIONS = st.one_of(st.none(), st.sampled_from(["one", "two"]))
# A factory that ignores its cancellation gives what no pool counts any more; that is not the group's to bound.
OUTCOMES = st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.DEAF])
WINDOW_SEC = 60.0
FORGET_SEC = 40.0
SWEEP_SEC = 10.0


class GroupMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = CheckedLoop()
        self.providers = {name: ScriptedProvider(latency_sec=0.4) for name in (*NAMES, LAST)}
        self.callers = {name: Callers(self.loop, provider) for name, provider in self.providers.items()}
        self.starts: list[float] = []
        self.asked = 0
        self.ending: asyncio.Task[None] | None = None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize(
        max_size=st.integers(2, 6),
        budget=st.sampled_from([None, 4, 12]),
        floors=st.lists(st.integers(0, 2), min_size=len(NAMES), max_size=len(NAMES)),
        reset=st.booleans(),
    )
    def open(self, max_size: int, budget: int | None, floors: list[int], reset: bool) -> None:
        self.max_size, self.budget = max_size, budget
        self.floors = dict(zip(NAMES, floors, strict=True)) | {LAST: 0}
        self.hooks = ["close", "warm", *(["reset"] if reset else [])]
        self.group: PoolGroup[str, Any] = PoolGroup(
            self.knobs, max_size=max_size, creates_per_minute=budget, forget_after_sec=FORGET_SEC
        )
        self.loop.check = self.every_promise_is_kept

    def knobs(self, profile: str) -> dict[str, Any]:
        hooks = self.providers[profile].hooks(*self.hooks)
        factory = hooks["factory"]

        async def noted() -> Any:
            self.starts.append(self.loop.time())
            return await factory()

        return hooks | {
            "factory": noted,
            "warm_pool_size": self.floors[profile],
            "warmup_interval_sec": SWEEP_SEC,
            "acquire_timeout_sec": DEFAULT_TIMEOUT_SEC,
        }

    async def pools(self, profiles: list[str]) -> list[WarmableResourcePool[Any]]:
        """All asked for at once. A profile has one pool, and nobody gets one that is going, or none."""
        self.asked += len(profiles)
        found = await asyncio.gather(*map(self.group.pool, profiles), return_exceptions=True)
        pools = [pool for pool in found if isinstance(pool, WarmableResourcePool)]
        if self.ending is not None:
            assert all(isinstance(refused, PoolClosed) for refused in found), found
            return []
        assert [self.group._members[profile].pool for profile in profiles] == found
        assert all(pool._state.open for pool in pools)
        return pools

    # --- what happens ----------------------------------------------------------------------------------------------

    @rule(
        profiles=st.lists(PROFILES, min_size=1, max_size=5),
        session=SESSIONS,
        timeout=st.sampled_from([None, 0, 1.0]),
        how=st.sampled_from("lh"),
    )
    def acquire(self, profiles: list[str], session: str | None, timeout: float | None, how: str) -> None:
        for profile, pool in zip(profiles, self.run(self.pools(profiles)), strict=False):
            self.callers[profile].call(pool, session, timeout, "lease" if how == "l" else "hold")

    @rule(profiles=st.lists(PROFILES, min_size=2, max_size=6))
    def ask_for_pools(self, profiles: list[str]) -> None:
        self.run(self.pools(profiles))

    @precondition(lambda self: self.asked > 10 and self.ending is None)
    @rule(timeout=st.sampled_from([0.0, 2.0]), hurried=st.booleans())
    def shut_down(self, timeout: float, hurried: bool) -> None:
        for callers in self.callers.values():
            callers.shut = True
        self.ending = self.loop.create_task(self.group.shutdown(timeout))
        if hurried:
            self.run(asyncio.sleep(0))
            self.ending.cancel()

    @rule(profile=PROFILES, which=st.integers(0, 10**6), fail=st.booleans())
    def enough(self, profile: str, which: int, fail: bool) -> None:
        if caller := self.callers[profile].pick(which):
            caller.fail = fail
            caller.enough.set()

    @rule(profile=PROFILES, which=st.integers(0, 10**6), after=st.integers(0, 3))
    def cancel(self, profile: str, which: int, after: int) -> None:
        if caller := self.callers[profile].pick(which):
            self.run(caller.cancelled(after, None))

    @rule(profile=PROFILES, hook=st.sampled_from(["factory", "warm", "reset"]), outcome=OUTCOMES)
    def script(self, profile: str, hook: str, outcome: Outcome) -> None:
        self.providers[profile].script(hook, [outcome])

    @rule(profile=PROFILES, down=st.booleans())
    def provider_goes(self, profile: str, down: bool) -> None:
        self.providers[profile].down = down

    @rule(profile=PROFILES, which=st.integers(0, 10**6))
    def kill(self, profile: str, which: int) -> None:
        if alive := self.providers[profile].open:
            alive[which % len(alive)].alive = False

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 5.0, 12.0, 45.0]))
    def advance(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))
        self.run(asyncio.sleep(0.001))  # what came of the last tick
        self.nobody_starves_beside_idle_spares()

    def nobody_starves_beside_idle_spares(self) -> None:
        states = [member.pool._state for member in self.group._members.values()]
        if any(places_wanted(state, self.loop.time()) for state in states):
            idle = [state.knobs.name for state in states if state.spares and not state.queue]
            assert not idle, f"a caller waits for room, and {idle} have spares"

    # --- what must hold --------------------------------------------------------------------------------------------

    def every_promise_is_kept(self) -> None:
        for member in self.group._members.values():
            check_invariants(member.pool)
        living = sum(len(provider.open) for provider in self.providers.values())
        assert living <= self.max_size, f"{living} resources live, {self.max_size} may"

    @invariant()
    def the_providers_saw_no_more_than_the_budget(self) -> None:
        if getattr(self, "budget", None) is not None:
            for first, last in zip(self.starts, self.starts[self.budget :], strict=False):
                assert last - first >= WINDOW_SEC - 1e-6

    def teardown(self) -> None:
        try:
            if hasattr(self, "group"):
                self._end()
        finally:
            self.loop.close()

    def _end(self) -> None:
        for caller in itertools.chain(*self.callers.values()):
            caller.enough.set()
        if self.ending is None:
            self.run(self._only_one_is_used())
            for profile in NAMES[1:]:
                assert not self.providers[profile].open, f"nobody uses {profile}, and it keeps spares"
            assert self.group.profiles == (NAMES[0], LAST)
        for callers in self.callers.values():
            callers.shut = True
        self.run(self.group.shutdown(0))
        self.run(asyncio.sleep(1))
        for callers in self.callers.values():
            callers.nobody_hangs()
        assert not asyncio.all_tasks(self.loop), "a task is left after shutdown"
        assert not any(provider.open or provider.closed_twice for provider in self.providers.values())

    async def _only_one_is_used(self) -> None:
        """For longer than it takes to forget the others and to finish, or give up, what they had begun."""
        for _ in range(10):
            await asyncio.sleep(SWEEP_SEC)
            await self.group.pool(NAMES[0])
        await self.group.pool(LAST)


TestGroup = GroupMachine.TestCase
TestGroup.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
