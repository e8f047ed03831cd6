"""What was prefetched is handed out on the terms of any spare: alive, within its limits, verified lately enough."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline import AllocationTier
from warmline.errors import PoolSaturated, PoolTimeout
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core
WARM, COLD, DEDICATED = AllocationTier.WARM, AllocationTier.COLD, AllocationTier.DEDICATED


@pytest.mark.parametrize(("seconds", "cause"), [(61.0, "idle"), (1.0, "died"), (130.0, "lifetime")])
def test_past_its_limits_or_dead_it_is_closed(
    open_pool: Any, provider: ScriptedProvider, seconds: float, cause: str
) -> None:
    async def main() -> None:
        limits = {"max_idle_sec": 60.0} if cause == "idle" else {"max_lifetime_sec": 120.0}
        async with open_pool(provider, warm_pool_size=1, **limits) as pool:
            pool.prefetch("a")
            await asyncio.sleep(seconds)
            kept = provider.made[0]
            kept.alive = cause != "died"
            resource, tier = await pool.acquire_for_session("a")
            assert resource is not kept
            assert tier is WARM
            await asyncio.sleep(0.1)
            assert kept.closes == 1
            assert pool.snapshot()["closed"][cause] >= 1
            check_invariants(pool)

    run_virtual(main())


def test_it_was_invalidated(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1) as pool:
            pool.prefetch("a")
            pool.invalidate(provider.made[0])
            await asyncio.sleep(1)
            resource, tier = await pool.acquire_for_session("a")
            assert (resource is provider.made[1], tier) == (True, WARM)

    run_virtual(main())


def test_it_is_validated_and_stays_the_sessions(open_pool: Any, provider: ScriptedProvider) -> None:
    """Whoever else waits, in a full pool, and even in one that is suspended."""

    async def main() -> None:
        async with open_pool(provider, "validate", warm_pool_size=1, max_size=1, max_waiting=1) as pool:
            pool.prefetch("a")
            await asyncio.sleep(1)
            other = asyncio.create_task(pool.acquire_for_session("b"))
            await asyncio.sleep(1)
            pool.suspend()
            checks = provider.count("validate")
            assert await pool.acquire_for_session("a") == (provider.made[0], WARM)  # nor does max_waiting refuse it
            assert provider.count("validate") == checks + 1
            assert (await pool.acquire_for_session("a"))[1] is DEDICATED
            pool.resume()
            await pool.release_for_session("a")
            assert (await other)[0] is provider.made[0]

    run_virtual(main())


def test_an_outage_refuses_nobody_whose_own_is_being_validated(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "validate", warm_pool_size=1, hook_timeout_sec=5.0) as pool:
            pool.prefetch("a")
            await asyncio.sleep(1)
            provider.down = True
            await asyncio.gather(*(pool.acquire(timeout=20) for _ in range(6)), return_exceptions=True)
            assert pool.snapshot()["breaker_open"]
            provider.script("validate", [Outcome.SLOW])
            assert (await pool.acquire_for_session("a"))[1] is WARM

    run_virtual(main())


@pytest.mark.parametrize("what", ["invalid", "left", "rotated", "aged"])
def test_a_promise_that_cannot_be_kept(open_pool: Any, provider: ScriptedProvider, what: str) -> None:
    """It fails its validation, or nobody waits for it any more when it has passed it."""

    async def main() -> None:
        limits = {"max_lifetime_sec": 12.0} if what == "aged" else {}
        async with open_pool(provider, "validate", warm_pool_size=1, **limits) as pool:
            pool.prefetch("a")
            await asyncio.sleep(1 if what != "aged" else 10)
            kept = provider.made[0]
            provider.script("validate", [Outcome.FALSE if what == "invalid" else Outcome.SLOW])
            caller = asyncio.create_task(pool.acquire_for_session("a", timeout=1 if what == "left" else 8))
            await asyncio.sleep(0.1)
            check_invariants(pool)
            if what == "rotated":
                await pool.rotate()
            if what == "left":
                with pytest.raises(PoolTimeout):
                    await caller
                await asyncio.sleep(4)
                assert kept in [entry.resource for entry in pool._state.shelf]
            else:
                assert (await caller)[0] is not kept
                await asyncio.sleep(5)
                assert kept.closes == 1
            check_invariants(pool)

    run_virtual(main())


def test_prefetches_turn_no_caller_away(open_pool: Any) -> None:
    provider = ScriptedProvider(latency_sec=5)

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, max_waiting=3) as pool:
            for number in range(4):
                pool.prefetch(f"p{number}")
            assert pool.snapshot()["counters"]["prefetches_dropped"] == 1
            callers = [asyncio.create_task(pool.acquire_for_session(f"c{number}")) for number in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(PoolSaturated, match="3 callers wait"):
                await pool.acquire_for_session("one too many")
            assert {tier for _, tier in await asyncio.gather(*callers)} == {COLD}
            assert pool.snapshot()["counters"]["saturated"] == 1

    run_virtual(main())


def test_without_time_to_wait_a_recent_validation_is_trusted(open_pool: Any, provider: ScriptedProvider) -> None:
    """timeout=0 in a pool that validates at every hand-out: the first finds nothing ready, and has it made ready."""

    async def main() -> None:
        async with open_pool(provider, "validate", warm_pool_size=1, hook_timeout_sec=5.0) as pool:
            await asyncio.sleep(10)
            with pytest.raises(PoolTimeout):
                await pool.acquire(timeout=0)
            await asyncio.sleep(1)
            assert await pool.acquire(timeout=0) is provider.made[0]
        async with open_pool(provider, "validate", warm_pool_size=1, validate_after_sec=0.0) as pool:
            for _ in range(3):  # asked for, so it is kept
                await asyncio.sleep(1)
                with pytest.raises(PoolTimeout):
                    await pool.acquire(timeout=0)

    run_virtual(main())
