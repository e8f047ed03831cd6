"""A resource dies, and says so or is caught at it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline import AllocationTier, WarmableResourcePool
from warmline.errors import CreateFailed
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


def test_a_resource_says_that_it_died(open_pool: Any, provider: ScriptedProvider) -> None:
    """By `alive`, polled at hand-out, return and sweep; by invalidate(), at once."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, warmup_interval_sec=20.0) as pool:
            provider.made[0].alive = False
            async with pool.lease("a") as lease:
                assert lease.resource is provider.made[1]
                lease.resource.alive = False
            await asyncio.sleep(1)
            provider.made[2].alive = False
            await asyncio.sleep(25)
            assert [resource.closes for resource in provider.made[:3]] == [1, 1, 1]
            assert pool.snapshot()["closed"]["died"] == 3
            assert pool.snapshot()["warm_pool_size"] == 2

    run_virtual(main())


def test_a_session_whose_resource_died_gets_another(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1) as pool, pool.lease("a") as lease:
            await asyncio.sleep(1)
            lease.invalidate()
            assert lease.resource.closes == 0  # never under its holder
            async with pool.lease("a") as second:
                assert second.resource is not lease.resource
                assert second.tier is AllocationTier.WARM
                check_invariants(pool)

    run_virtual(main())


def test_alive_may_be_a_future_or_a_method() -> None:
    class Socket:
        def __init__(self) -> None:
            self.alive: Any = asyncio.get_running_loop().create_future()

    class Polled:
        lives = True

        def alive(self) -> bool:
            if self.lives is None:
                raise OSError
            return self.lives

    async def main(kind: type[Any]) -> None:
        made: list[Any] = []

        async def factory() -> Any:
            made.append(kind())
            return made[-1]

        async with WarmableResourcePool[Any](factory, warmup_interval_sec=5.0) as pool:
            if kind is Socket:
                made[0].alive.set_result(None)
                await asyncio.sleep(0.01)  # at once, not at the sweep
            else:
                made[0].lives = None
                await asyncio.sleep(6)
            assert pool.snapshot()["closed"]["died"] == 1
            assert len(made) == 2

    run_virtual(main(Socket))
    run_virtual(main(Polled))


def test_dead_before_it_is_ready_is_a_failed_creation() -> None:
    """A signal that raises is death; and what is born dead opens the breaker instead of being made without end."""

    class Broken:
        @property
        def alive(self) -> bool:
            raise OSError

    async def main() -> None:
        async with WarmableResourcePool[Any](Broken, warm_pool_size=1, max_size=1) as pool:
            with pytest.raises(CreateFailed) as failed:
                await pool.acquire(timeout=20)
            assert isinstance(failed.value.__cause__, ConnectionError)
            assert pool.snapshot()["counters"]["create_failures"] >= 3
            assert pool.snapshot()["closed"]["warm_failed"] == pool.snapshot()["counters"]["created"]

    run_virtual(main())


@pytest.mark.parametrize("when", ["warm", "keepalive", "reset", "close"])
def test_it_dies_while_a_hook_runs(open_pool: Any, provider: ScriptedProvider, when: str) -> None:
    """Warmed: the creation has failed. Checked or reset: closed at once. Closing: it is going anyway."""

    async def main() -> None:
        hooks = ("warm", "keepalive", "reset")
        async with open_pool(provider, *hooks, warm_pool_size=0, keepalive_interval_sec=30.0, max_size=3) as pool:
            provider.script(when, [Outcome.SLOW])
            caller = asyncio.create_task(pool.acquire())
            await asyncio.sleep(1.0)
            if when != "warm":
                await pool.release(await caller, broken=when == "close")
            await asyncio.sleep({"keepalive": 29.5}.get(when, 0.5))
            dying = provider.made[0]
            assert pool.invalidate(dying) is (when != "close")
            check_invariants(pool)
            if when == "warm":
                assert await caller is not dying
            if when in ("keepalive", "reset"):
                await asyncio.sleep(0.1)
                assert dying.closes == 1
            await asyncio.sleep(10)
            assert dying.closes == 1
            cause = {"warm": "warm_failed", "close": "broken"}.get(when, "died")
            assert pool.snapshot()["closed"][cause] == 1

    run_virtual(main())


@pytest.mark.parametrize("sync", [False, True])
def test_a_spare_that_dies_during_its_keepalive_is_replaced_at_once(open_pool: Any, sync: bool) -> None:
    async def main() -> None:
        provider = ScriptedProvider(latency_sec=0.5, sync=sync, slow_sec=0.05, alive=None)
        async with open_pool(provider, "keepalive", warm_pool_size=1, keepalive_interval_sec=20.0) as pool:
            provider.script("keepalive", [Outcome.SLOW if sync else Outcome.NEVER])
            while not provider.count("keepalive"):
                await asyncio.sleep(0.01)
            assert pool.invalidate(provider.made[0])
            assert pool.snapshot()["closed"]["died"] == 1
            check_invariants(pool)
            await asyncio.sleep(0.6)
            assert provider.made[0].closes == 1
            assert pool.snapshot()["warm_pool_size"] == 1
            assert pool.snapshot()["counters"]["abandoned_hooks"] == 0

    run_virtual(main())
