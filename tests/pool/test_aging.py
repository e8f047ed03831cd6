"""Keepalive, validation, idle limit, lifetime, rotation: the replacement stands before the old one goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline import AllocationTier
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


async def lowest_floor(pool: Any, seconds: float) -> int:
    """The fewest spares that stood at any look in `seconds`."""
    lowest = 10**6
    for _ in range(int(seconds / 0.1)):
        await asyncio.sleep(0.1)
        counts = pool.snapshot()["counts"]
        lowest = min(lowest, counts["spare"])
    return lowest


@pytest.mark.parametrize("limit", [{"max_idle_sec": 20.0}, {"max_lifetime_sec": 30.0}])
def test_make_before_break(open_pool: Any, provider: ScriptedProvider, limit: dict[str, float]) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=3, **limit) as pool:
            assert await lowest_floor(pool, 200) == 3
            snapshot = pool.snapshot()
            assert snapshot["counters"]["make_before_break"] >= 3 * 5
            assert snapshot["closed"]["idle"] + snapshot["closed"]["lifetime"] >= 3 * 5
            assert snapshot["counters"]["break_before_make"] == 0

    run_virtual(main())


def test_nothing_beyond_its_limit_is_handed_out(open_pool: Any, provider: ScriptedProvider) -> None:
    """Even when no replacement can be made."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, max_idle_sec=20.0, max_size=8) as pool:
            provider.default["factory"] = Outcome.NEVER
            await asyncio.sleep(19.9)
            async with pool.lease("a", timeout=0) as lease:
                assert lease.tier is AllocationTier.WARM
                await asyncio.sleep(0.2)
                with pytest.raises(TimeoutError):
                    await pool.acquire(timeout=0)
            provider.default.clear()

    run_virtual(main())


def test_break_before_make_at_max_size_and_counted(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, max_size=2, max_lifetime_sec=30.0) as pool:
            assert await lowest_floor(pool, 100) == 1  # one at a time
            assert pool.snapshot()["counters"]["break_before_make"] >= 4

    run_virtual(main())


def test_keepalive_counts_as_use(open_pool: Any, provider: ScriptedProvider) -> None:
    """At half the idle limit: the same spares for ever, and one of them always on the shelf."""

    async def main() -> None:
        async with open_pool(provider, "keepalive", warm_pool_size=2, max_idle_sec=20.0) as pool:
            provider.default["keepalive"] = Outcome.SLOW
            for _ in range(400):
                await asyncio.sleep(1)
                assert pool.snapshot()["warm_pool_size"] >= 1
            assert provider.count("factory") == 2
            assert 2 * 400 / 14 <= provider.count("keepalive") <= 2 * 400 / 9

    run_virtual(main())


@pytest.mark.parametrize("outcome", [Outcome.FALSE, Outcome.ERROR, Outcome.NEVER, Outcome.ESCAPE, Outcome.DEAF])
def test_a_keepalive_that_fails_replaces(open_pool: Any, provider: ScriptedProvider, outcome: Outcome) -> None:
    async def main() -> None:
        knobs = {"keepalive_interval_sec": 10.0, "hook_timeout_sec": 2.0}
        async with open_pool(provider, "keepalive", warm_pool_size=1, **knobs) as pool:
            provider.script("keepalive", [outcome])
            await asyncio.sleep(15)
            assert pool.snapshot()["closed"]["died"] == 1
            assert pool.snapshot()["warm_pool_size"] == 1
            assert provider.made[0].closes == 1

    run_virtual(main())


def test_validation_only_when_the_last_verification_is_old(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "validate", warm_pool_size=1, validate_after_sec=10.0) as pool:
            for waits in (9, 9, 11):
                await asyncio.sleep(waits)
                async with pool.lease() as lease:  # a use is a verification
                    assert lease.tier is AllocationTier.WARM
            assert provider.count("validate") == 1

    run_virtual(main())


def test_validation_follows_the_keepalive_by_default(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "validate", warm_pool_size=1, keepalive_interval_sec=10.0) as pool:
            for waits in (14, 16):
                await asyncio.sleep(waits)
                async with pool.lease():
                    pass
            assert provider.count("validate") == 1

    run_virtual(main())


@pytest.mark.parametrize("outcome", [Outcome.FALSE, Outcome.ERROR, Outcome.NEVER, Outcome.ESCAPE])
def test_a_caller_never_gets_what_fails_validation(
    open_pool: Any, provider: ScriptedProvider, outcome: Outcome
) -> None:
    """It waits for the next that is good, inside its one deadline."""

    async def main() -> None:
        async with open_pool(provider, "validate", warm_pool_size=2, hook_timeout_sec=2.0) as pool:
            await asyncio.sleep(5)
            provider.script("validate", [outcome])
            async with pool.lease("a", timeout=10) as lease:
                assert lease.resource not in [r for r in provider.made if r.closes]
            await asyncio.sleep(5)
            assert pool.snapshot()["closed"]["invalid"] == 1

    run_virtual(main())


def test_a_fresh_spare_is_given_while_an_old_one_is_checked(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "validate", warm_pool_size=2, validate_after_sec=10.0) as pool:
            await asyncio.sleep(11)
            used = await pool.acquire()
            await pool.release(used)  # verified by use
            provider.default["validate"] = Outcome.NEVER
            began = asyncio.get_running_loop().time()
            assert await pool.acquire() is used
            assert asyncio.get_running_loop().time() == began
            check_invariants(pool)

    run_virtual(main())


def test_rotate_replaces_spares_now_and_leased_on_return(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2) as pool:
            leased = await pool.acquire()
            await asyncio.sleep(1)
            old = set(provider.made)
            await pool.rotate()
            assert await lowest_floor(pool, 1) == 2
            fresh = await pool.acquire()
            assert fresh not in old
            await pool.release(leased)
            assert leased.closes == 0 or leased.closes == 1
            await asyncio.sleep(1)
            assert all(resource.closes == 1 for resource in old)
            assert pool.snapshot()["closed"]["drained"] == 3
            assert pool.snapshot()["epoch"] == 1

    run_virtual(main())


def test_the_longest_idle_safe_spare_goes_first(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=3) as pool:
            first = await pool.acquire()
            assert first is provider.made[0]
            await asyncio.sleep(1)
            await pool.release(first)
            order = [await pool.acquire() for _ in range(4)]
            assert order == [provider.made[1], provider.made[2], provider.made[3], first]

    run_virtual(main())


def test_suspend_holds_callers_and_refill_but_not_holders(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1) as pool:
            await pool.acquire_for_session("a")
            await asyncio.sleep(1)
            pool.suspend()
            _, tier = await pool.acquire_for_session("a", timeout=0)
            assert tier is AllocationTier.DEDICATED
            waiting = asyncio.create_task(pool.acquire(timeout=60))
            await asyncio.sleep(20)
            assert not waiting.done()
            assert pool.snapshot()["suspended"]
            assert provider.count("factory") == 2
            pool.resume()
            await waiting
            pool.suspend()
            with pytest.raises(TimeoutError):
                await pool.acquire(timeout=1)
            pool.resume()

    run_virtual(main())


def test_silent_sessions(open_pool: Any, provider: ScriptedProvider) -> None:
    """Flagged always; reclaimed only if touched once, idle by active_fn, or asked for. An open lease is life."""

    async def main(how: str) -> dict[str, int]:
        hooks = ["active"] if how.startswith("active") else []
        knobs = {"stale_sessions": "reclaim"} if how == "reclaim" else {}
        outcomes = {"active: no": Outcome.FALSE, "active: error": Outcome.ERROR, "active: hangs": Outcome.NEVER}
        provider.default["active"] = outcomes.get(how, Outcome.OK)
        async with open_pool(provider, *hooks, warm_pool_size=0, session_max_age_sec=100.0, **knobs) as pool:
            if how == "lease":
                async with pool.lease("a"):
                    await asyncio.sleep(400)
            else:
                await pool.acquire_for_session("a")
                for _ in range(8):
                    if how in ("touching", "touched once"):
                        await asyncio.to_thread(pool.touch, "a")
                        pool.touch("somebody else")
                    await asyncio.sleep(50)
                    if how == "touched once":
                        how = "silent"
                await asyncio.sleep(50)
            counters = pool.snapshot()["counters"]
            taken = pool.snapshot()["closed"]["stale_session"]
            assert taken == counters["sessions_reclaimed"]
            return {"flagged": int(counters["sessions_flagged"] > 0), "taken": taken}

    def outcome(how: str) -> dict[str, int]:
        return run_virtual(main(how))

    assert outcome("silent") == {"flagged": 1, "taken": 0}
    assert outcome("touching") == {"flagged": 0, "taken": 0}
    assert outcome("touched once") == {"flagged": 0, "taken": 1}
    assert outcome("reclaim") == {"flagged": 0, "taken": 1}
    assert outcome("active: yes") == {"flagged": 1, "taken": 0}
    assert outcome("active: no") == {"flagged": 1, "taken": 1}
    assert outcome("active: error") == {"flagged": 1, "taken": 0}
    assert outcome("active: hangs") == {"flagged": 1, "taken": 0}
    assert outcome("lease") == {"flagged": 0, "taken": 0}
