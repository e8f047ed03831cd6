"""DEDICATED, WARM, COLD: decided at the hand-over and true."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline import AllocationTier
from warmline.errors import PoolTimeout
from warmline.pool import Warmth
from warmline.testing import ScriptedProvider, run_virtual

pytestmark = pytest.mark.core
DEDICATED, WARM, COLD = AllocationTier.DEDICATED, AllocationTier.WARM, AllocationTier.COLD


def test_warm_then_dedicated_then_cold(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, enable_background_warmup=False) as pool:
            first, tier = await pool.acquire_for_session("a")
            assert tier is WARM
            again, tier = await pool.acquire_for_session("a")
            assert (again, tier) == (first, DEDICATED)
            _, tier = await pool.acquire_for_session("b")
            assert tier is COLD
            metrics = pool.snapshot()["metrics"]
            assert (metrics["allocations_total"], metrics["allocations_cached"]) == (3, 2)

    run_virtual(main())


def test_joined_tells_whose_creation_it_was(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:

            async def call(session_id: str, after: float) -> tuple[AllocationTier, bool, float]:
                await asyncio.sleep(after)
                async with pool.lease(session_id) as lease:
                    await asyncio.sleep(5)
                    return lease.tier, lease.joined, round(lease.acquire_ms)

            outcomes = await asyncio.gather(call("a", 0), call("a", 0.2), call("a", 1.0))
            assert list(outcomes) == [(COLD, False, 500), (COLD, True, 300), (DEDICATED, False, 0)]
            assert provider.count("factory") == 1

    run_virtual(main())


def test_waiting_for_a_return_is_not_another_tier(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, max_size=1) as pool:
            held = await pool.acquire()
            asyncio.get_running_loop().call_later(2.0, lambda: asyncio.ensure_future(pool.release(held)))
            async with pool.lease("a") as lease:
                assert (lease.tier, lease.waited_ms) == (WARM, pytest.approx(2000))
                assert lease.age_sec == pytest.approx(2.0)

    run_virtual(main())


def test_prefetch_done_is_warm_then_dedicated(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            pool.prefetch("a")
            pool.prefetch("a")
            await asyncio.sleep(1)
            assert provider.count("factory") == 1
            assert pool.snapshot()["metrics"]["allocations_total"] == 0
            assert [(await pool.acquire_for_session("a"))[1] for _ in range(2)] == [WARM, DEDICATED]

    run_virtual(main())


def test_prefetch_under_way_is_cold_and_joined(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            pool.prefetch("a")
            await asyncio.sleep(0.1)
            async with pool.lease("a") as lease:
                assert (lease.tier, lease.joined, round(lease.waited_ms)) == (COLD, True, 400)

    run_virtual(main())


def test_prefetch_is_given_back(open_pool: Any, provider: ScriptedProvider) -> None:
    """On release of its id, while it waits as well, or after session_max_age_sec."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, max_size=2, session_max_age_sec=50.0) as pool:
            pool.prefetch("a")
            assert await pool.release_for_session("a")
            pool.prefetch("b")
            await asyncio.sleep(1)
            assert await pool.release_for_session("b")
            pool.prefetch("c")
            await asyncio.sleep(100)
            assert pool.snapshot()["counts"]["leased"] == 0
            assert pool.snapshot()["counters"]["prefetches_returned"] == 1

    run_virtual(main())


def test_prefetch_raises_no_provider_error(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, max_waiting=1, acquire_timeout_sec=3.0) as pool:
            provider.down = True
            pool.prefetch("a")
            pool.prefetch("b")  # one too many: dropped, counted
            await asyncio.sleep(10)
            assert pool.snapshot()["counts"]["waiting"] == 0
            assert pool.snapshot()["counters"]["prefetches_dropped"] == 1

    run_virtual(main())


def test_timeout_zero_takes_only_what_is_ready(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, enable_background_warmup=False) as pool:
            assert await pool.acquire(timeout=0)
            with pytest.raises(PoolTimeout):
                await pool.acquire(timeout=0)
            assert provider.count("factory") == 1

    run_virtual(main())


def test_warm_fn_may_say_how_far_it_got(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async def warm(_resource: Any) -> Warmth:
            return Warmth.CONFIGURED

        async with open_pool(provider, warm_fn=warm) as pool, pool.lease() as lease:
            assert lease.warmth is Warmth.CONFIGURED

    run_virtual(main())


def test_a_sessions_lease_is_entered_once(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider) as pool:
            lease = pool.lease()
            with pytest.raises(RuntimeError):
                _ = lease.resource
            async with lease:
                with pytest.raises(RuntimeError):
                    await lease.__aenter__()
            with pytest.raises(RuntimeError):
                _ = lease.age_sec

    run_virtual(main())
