"""Spares above the floor go after two sweeps, however well they are kept alive meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline import OnDemandResourcePool, PoolGroup
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


@pytest.mark.parametrize("keepalive", [Outcome.OK, Outcome.SLOW])
def test_a_pool_with_keepalives_shrinks_to_its_floor(
    open_pool: Any, provider: ScriptedProvider, keepalive: Outcome
) -> None:
    async def main() -> None:
        provider.default["keepalive"] = keepalive
        async with open_pool(provider, "keepalive", warm_pool_size=6, keepalive_interval_sec=25.0) as pool:
            await pool.resize(warm_pool_size=2)
            await asyncio.sleep(90)
            check_invariants(pool)
            assert pool.snapshot()["counts"]["spare"] == 2
            assert pool.snapshot()["closed"]["surplus"] == 4
            assert pool.snapshot()["closed"]["died"] == 0

    run_virtual(main())


def test_an_idle_on_demand_pool_pays_for_no_keepalives() -> None:
    async def main() -> None:
        provider = ScriptedProvider()
        pool = OnDemandResourcePool[Any](**provider.hooks("close", "keepalive"), max_idle_sec=60.0)
        async with pool:
            used = await asyncio.gather(pool.acquire(), pool.acquire())
            for resource in used:
                await pool.release(resource)
            await asyncio.sleep(120)
            paid = provider.count("keepalive")
            assert not provider.open
            await asyncio.sleep(8 * 3600)
            assert provider.count("keepalive") == paid

    run_virtual(main())


def test_a_forgotten_profile_with_keepalives_shrinks_away() -> None:
    async def main() -> None:
        provider = ScriptedProvider()
        knobs = provider.hooks("close", "keepalive") | {"warm_pool_size": 3, "max_idle_sec": 60.0}
        async with PoolGroup[str, Any](lambda _: knobs, max_size=20, forget_after_sec=600.0) as group:
            await (await group.pool("rare")).wait_warm()
            await asyncio.sleep(900)
            assert not provider.open

    run_virtual(main())


@pytest.mark.parametrize("lowered", [{"warm_pool_size": 0}, {"warm_pool_size": 0, "max_size": 1}])
def test_a_spare_that_every_sweep_finds_in_a_check_goes_after_the_check(
    open_pool: Any, provider: ScriptedProvider, lowered: dict[str, int]
) -> None:
    """A keepalive that runs at every sweep: the shelf is empty whenever the sweep looks."""

    async def main() -> None:
        knobs = {"keepalive_interval_sec": 0.5, "warmup_interval_sec": 30.0, "hook_timeout_sec": 40.0}
        async with open_pool(provider, "keepalive", warm_pool_size=1, **knobs) as pool:
            provider.slow_sec = 35.0
            provider.default["keepalive"] = Outcome.SLOW
            held = await pool.acquire()
            await asyncio.sleep(2)
            assert pool.snapshot()["warm_pool_size"] == 0  # away
            await pool.resize(**lowered)
            await asyncio.sleep(150)
            check_invariants(pool)
            assert pool.snapshot()["closed"]["surplus"] == 1
            await pool.release(held, broken=True)

    run_virtual(main())


def test_a_use_begins_the_count_anew(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        knobs = {"warmup_interval_sec": 30.0, "keepalive_interval_sec": 10.0}
        async with open_pool(provider, "keepalive", warm_pool_size=0, **knobs) as pool:
            await pool.release(await pool.acquire())
            for _ in range(6):
                await asyncio.sleep(29)
                async with pool.lease():
                    pass
            assert provider.count("factory") == 1
            await asyncio.sleep(65)
            assert not provider.open

    run_virtual(main())
