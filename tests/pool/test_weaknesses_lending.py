"""What went wrong at the counter of earlier warm pools (who gets what, and when), each as the promise that it does not
happen here, numbered as it was found."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline import AllocationTier, OnDemandResourcePool, WarmableResourcePool
from warmline.errors import ForeignResource, PoolClosed, PoolTimeout
from warmline.pool import steering
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core
DEDICATED, WARM, COLD = AllocationTier.DEDICATED, AllocationTier.WARM, AllocationTier.COLD


def test_08_a_cold_acquire_is_not_called_warm(open_pool: Any, provider: ScriptedProvider) -> None:
    """Not even when a refill ends in the same instant."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1) as pool:
            got = await asyncio.gather(*(pool.acquire_for_session(f"{n}") for n in range(4)))
            assert [tier for _, tier in got] == [WARM, COLD, COLD, COLD]
            metrics = pool.snapshot()["metrics"]
            assert (metrics["allocations_warm"], metrics["allocations_cold"]) == (1, 3)

    run_virtual(main())


def test_09_concurrent_acquires_of_a_session_get_one_resource(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            got = await asyncio.gather(*(pool.acquire_for_session("a") for _ in range(20)))
            assert len({id(resource) for resource, _ in got}) == 1
            assert provider.count("factory") == 1

    run_virtual(main())


def test_10_the_timeout_is_kept_by_every_acquire(provider: ScriptedProvider) -> None:
    async def main() -> None:
        provider.default["factory"] = Outcome.NEVER
        for kind in (WarmableResourcePool[Any], OnDemandResourcePool[Any]):
            async with kind(provider.hooks()["factory"], create_timeout_sec=100.0) as pool:
                began = asyncio.get_running_loop().time()
                for call in (pool.acquire(timeout=2), pool.acquire_for_session("a", timeout=2)):
                    with pytest.raises(TimeoutError):
                        await call
                assert asyncio.get_running_loop().time() == pytest.approx(began + 4)

    run_virtual(main())


def test_11_a_crowd_does_not_become_a_crowd_of_creations(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            await asyncio.gather(*(pool.acquire(timeout=60) for _ in range(300)))
            assert provider.most_at_once == 16

    run_virtual(main())


def test_14_a_double_release_does_not_lend_one_to_two(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            resource = await pool.acquire()
            assert [await pool.release(resource), await pool.release(resource)] == [True, False]
            assert await pool.acquire() is not await pool.acquire()

    run_virtual(main())


def test_15_a_string_is_not_a_resource(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider) as pool:
            with pytest.raises(ForeignResource):
                await pool.release("session-key")

    run_virtual(main())


def test_16_six_calls_one_after_the_other_are_warm(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "reset", warm_pool_size=2) as pool:
            tiers = []
            for number in range(6):
                tiers.append((await pool.acquire_for_session(f"{number}"))[1])
                await pool.release_for_session(f"{number}")
            assert tiers == [WARM] * 6

    run_virtual(main())


def test_21_on_demand_sessions_do_not_queue_behind_each_other(provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with OnDemandResourcePool[Any](provider.hooks()["factory"], max_concurrent_creates=20) as pool:
            await asyncio.gather(*(pool.acquire_for_session(f"{n}") for n in range(20)))
            assert asyncio.get_running_loop().time() == 0.5

    run_virtual(main())


def test_22_a_taken_spare_is_replaced_at_once_not_at_the_tick(open_pool: Any, provider: ScriptedProvider) -> None:
    """Five calls in thirty seconds on three spares: all warm."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=3, warmup_interval_sec=30.0) as pool:
            for number in range(50):
                await asyncio.sleep(6)
                assert (await pool.acquire_for_session(f"{number}"))[1] is WARM

    run_virtual(main())


def test_36_a_hand_over_a_release_and_a_time_out_at_once(open_pool: Any, provider: ScriptedProvider) -> None:
    """A release by id, in the instant between a hand-over and the caller's next step, leaves the caller what it got."""

    async def main() -> None:
        async with open_pool(provider, "reset", warm_pool_size=1, max_size=1) as pool:
            held = await pool.acquire()
            callers = [asyncio.create_task(pool.acquire_for_session("a")) for _ in range(2)]
            leasing = asyncio.create_task(pool.lease("a").__aenter__())
            await asyncio.sleep(0)
            pool._state.hooks = type(pool._state.hooks)()  # no reset: handed over within the release
            pool._state.simple = True
            await pool.release(held)
            assert await pool.release_for_session("a", broken=True)
            check_invariants(pool)
            assert {id((await caller)[0]) for caller in callers} == {id(held)}
            lease = await leasing
            assert lease.resource is held
            assert await pool.release_for_session("a")
            await asyncio.sleep(1)
            assert held.closes == 1  # broken, once nobody held it
            with pytest.raises(PoolTimeout):
                await asyncio.gather(*(pool.acquire(timeout=1) for _ in range(2)))

    run_virtual(main())


def test_36_a_shutdown_takes_back_what_was_just_handed_over(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, max_size=1) as pool:
            held = await pool.acquire()
            caller = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            await pool.release(held)
            steering.begin_close(pool._state, pool._engine.now())
            steering.take_back_all(pool._state, pool._engine.now())
            pool._engine.perform()
            with pytest.raises(PoolClosed):
                await caller
            assert pool._state.live <= 1

    run_virtual(main())
