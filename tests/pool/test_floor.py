"""The floor counts spares: replaced on every take and loss, trimmed slowly, never at a caller's expense."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline.errors import ConfigError
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


def test_prepare_fills_the_floor_in_parallel(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=4) as pool:
            assert pool.snapshot()["warm_pool_size"] == 4
            assert asyncio.get_running_loop().time() == 0.5  # one creation's time
            await pool.prepare()  # again: harmless
            assert provider.count("factory") == 4

    run_virtual(main())


def test_every_take_is_replaced_at_once(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, warmup_interval_sec=1e6) as pool:
            await pool.acquire_for_session("a")
            assert pool.snapshot()["counts"]["creating"] == 1
            assert await pool.wait_warm(timeout=0.6)
            assert pool.snapshot()["counts"] | {"live": 0} == {
                "spare": 2, "leased": 1, "creating": 0, "warming": 0, "closing": 0, "live": 0, "waiting": 0
            }  # fmt: skip

    run_virtual(main())


def test_every_loss_is_replaced_at_once(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, warmup_interval_sec=1e6) as pool:
            assert pool.invalidate(provider.made[0])
            assert not await pool.wait_warm(timeout=0)
            assert await pool.wait_warm(timeout=0.6)
            assert provider.made[0].closes == 1
            assert pool.snapshot()["closed"]["died"] == 1

    run_virtual(main())


def test_a_return_cancels_refills_that_have_not_begun(open_pool: Any, provider: ScriptedProvider) -> None:
    """Five missing, four refills may run: the return fills the fifth place."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=5, warmup_interval_sec=1e6) as pool:
            await asyncio.sleep(1)
            held = [await pool.acquire() for _ in range(5)]
            await asyncio.sleep(0.1)
            assert provider.count("factory") == 5 + 4
            await pool.release(held[0])
            await asyncio.sleep(1)
            assert provider.count("factory") == 9
            assert pool.snapshot()["warm_pool_size"] == 5

    run_virtual(main())


def test_returns_above_max_spares_close_as_surplus(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, warmup_interval_sec=1e6) as pool:
            held = [await pool.acquire() for _ in range(9)]
            await asyncio.sleep(1)
            for resource in held:
                await pool.release(resource)
            assert pool.snapshot()["warm_pool_size"] == 4  # 2 x floor + 2
            assert pool.snapshot()["closed"]["surplus"] == 6

    run_virtual(main())


def test_spares_above_the_floor_live_for_two_sweeps(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, warmup_interval_sec=10.0) as pool:
            held = [await pool.acquire() for _ in range(3)]
            await asyncio.sleep(1)
            for resource in held:
                await pool.release(resource)
            sizes = []
            for _ in range(3):
                sizes.append(pool.snapshot()["warm_pool_size"])
                await asyncio.sleep(10)
            assert sizes == [4, 4, 1]

    run_virtual(main())


def test_a_caller_outranks_the_refill(open_pool: Any, provider: ScriptedProvider) -> None:
    """With one creation at a time, who waits is served before the floor."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=3, max_concurrent_creates=1, max_size=4) as pool:
            await asyncio.sleep(5)
            for _ in range(3):
                await pool.acquire()
            await pool.acquire(timeout=1.1)
            assert pool.snapshot()["warm_pool_size"] == 0

    run_virtual(main())


def test_no_refill_without_background_warmup(open_pool: Any, provider: ScriptedProvider) -> None:
    """prepare() still fills the floor once; expiry goes on."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, enable_background_warmup=False, max_idle_sec=30.0) as pool:
            await pool.acquire()
            await asyncio.sleep(5)
            assert pool.snapshot()["warm_pool_size"] == 1
            await asyncio.sleep(60)
            assert pool.snapshot()["warm_pool_size"] == 0
            assert pool.snapshot()["closed"]["idle"] == 1

    run_virtual(main())


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.NEVER])
def test_prepare_returns_without_a_provider(open_pool: Any, provider: ScriptedProvider, outcome: Outcome) -> None:
    """At the first failure, or after create_timeout_sec; it raises nothing, and the floor fills later."""

    async def main() -> None:
        provider.script("factory", [outcome] * 2)
        async with open_pool(provider, warm_pool_size=2, create_timeout_sec=4.0) as pool:
            assert asyncio.get_running_loop().time() == {Outcome.ERROR: 0.5, Outcome.NEVER: 4.0}[outcome]
            assert pool.snapshot()["ready"]
            assert pool.snapshot()["metrics"]["warmup_failures"] >= 1
            assert await pool.wait_warm(timeout=20)

    run_virtual(main())


def test_resize_grows_at_once_and_shrinks_on_the_sweep(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, warmup_interval_sec=10.0) as pool:
            await pool.resize(warm_pool_size=4)
            assert await pool.wait_warm(timeout=0.6)
            await pool.resize(warm_pool_size=1, max_size=2)
            check_invariants(pool)
            assert pool.snapshot()["counts"]["live"] == 4
            await asyncio.sleep(10)
            assert pool.snapshot()["counts"]["live"] == 2
            for wrong in ({"warm_pool_size": 3}, {"warm_pool_size": -1}, {"max_size": 0}):
                with pytest.raises(ConfigError):
                    await pool.resize(**wrong)

    run_virtual(main())


def test_floor_policy_is_asked_on_every_sweep(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        wanted: list[int | Exception] = [3]

        def policy(_snapshot: Any) -> int:
            if isinstance(wanted[0], Exception):
                raise wanted[0]
            return wanted[0]

        async with open_pool(provider, warm_pool_size=1, warmup_interval_sec=10.0, floor_policy=policy) as pool:
            await asyncio.sleep(11)
            assert pool.snapshot()["warm_pool_size"] == pool.snapshot()["warm_pool_target"] == 3
            wanted[0] = ValueError("no idea")
            await asyncio.sleep(20)
            assert pool.snapshot()["warm_pool_target"] == 3

    run_virtual(main())
