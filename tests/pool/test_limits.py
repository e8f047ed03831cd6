"""max_size, max_concurrent_creates, the creation budget, max_waiting, fairness, and wrong settings."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from typing import Any

import pytest

from warmline import OnDemandResourcePool, WarmableResourcePool
from warmline.errors import ConfigError, PoolClosed, PoolError, PoolNotReady, PoolSaturated, PoolTimeout
from warmline.pool import CreationBudget
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


def test_a_burst_on_an_empty_pool_waits_for_one_creation(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            await asyncio.gather(*(pool.acquire() for _ in range(10)))
            assert asyncio.get_running_loop().time() == 0.5

    run_virtual(main())


def test_no_more_creations_at_a_time_than_allowed(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, max_concurrent_creates=5) as pool:
            await asyncio.gather(*(pool.acquire(timeout=100) for _ in range(300)))
            assert provider.most_at_once == 5
            assert provider.count("factory") == 300

    run_virtual(main())


def test_never_more_than_max_size(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, max_size=4) as pool:
            held = [await pool.acquire() for _ in range(4)]
            with pytest.raises(PoolTimeout):
                await pool.acquire(timeout=3)
            assert len(provider.made) == 4
            waiting = asyncio.create_task(pool.acquire())
            await asyncio.sleep(1)
            await pool.release(held[0])
            assert await waiting is held[0]

    run_virtual(main())


def test_the_budget_is_a_sliding_minute_with_a_tenth_for_callers() -> None:
    budget = CreationBudget(20)
    for second in range(18):
        assert budget.opens_at(caller=False) == 0.0
        budget.spend(float(second))
    assert budget.opens_at(caller=False) == 60.0  # the refill waits for the first to leave the window
    assert budget.opens_at(caller=True) == 0.0
    budget.spend(30.0)
    budget.spend(31.0)
    assert budget.opens_at(caller=True) == 60.0
    assert not budget.overdrawn()
    budget.spend(59.9)
    assert budget.overdrawn()
    assert CreationBudget(None).opens_at(caller=False) == 0.0
    assert CreationBudget(1).for_refill == 1


def test_creations_stay_within_the_budget(open_pool: Any, provider: ScriptedProvider) -> None:
    """Callers wait for the quota, not the provider's 429; failed attempts count as well."""

    async def main() -> None:
        starts: list[float] = []
        factory = provider.hooks()["factory"]

        async def counted() -> Any:
            starts.append(asyncio.get_running_loop().time())
            return await factory()

        provider.default["factory"] = Outcome.OK
        async with open_pool(provider, warm_pool_size=1, creates_per_minute=6, recycle=False) as pool:
            work = pool._engine.work
            work.hooks = dataclasses.replace(work.hooks, factory=counted)
            for _ in range(20):
                async with pool.lease(timeout=math.inf):
                    pass
        assert len(starts) >= 19
        assert all(last - first >= 60 - 1e-6 for first, last in zip(starts, starts[6:], strict=False))

    run_virtual(main())


def test_max_waiting_turns_away_with_the_counts(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, max_size=1, max_waiting=2) as pool:
            held = await pool.acquire()
            waiting = [asyncio.create_task(pool.acquire_for_session("w")) for _ in range(3)]  # one session, one place
            await asyncio.sleep(0)
            with pytest.raises(PoolSaturated) as refused:
                await pool.acquire()
            assert (refused.value.leased, refused.value.waiting) == (1, 3)
            assert str(refused.value) == "[pool] 3 callers wait already (spare=0 leased=1 creating=0 waiting=3)"
            await pool.release(held)
            await asyncio.gather(*waiting)

    run_virtual(main())


def test_first_come_first_served_and_fair(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=3, max_size=3) as pool:
            served: list[int] = []

            async def caller(number: int) -> None:
                for _ in range(20):
                    async with pool.lease():
                        served.append(number)
                        await asyncio.sleep(0)

            await asyncio.gather(*(caller(number) for number in range(30)))
            half = served[: len(served) // 2]
            shares = [half.count(number) for number in range(30)]
            jain = sum(shares) ** 2 / (30 * sum(share**2 for share in shares))
            assert jain >= 0.99

    run_virtual(main())


def test_cancelled_waiters_are_gone_at_once(open_pool: Any, provider: ScriptedProvider) -> None:
    """The gauge counts live waiters, and growth follows it: a cancel storm creates nothing."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, max_size=1) as pool:
            await pool.acquire()
            storm = [asyncio.create_task(pool.acquire(timeout=1e6 + n)) for n in range(500)]
            await asyncio.sleep(0)
            assert pool.snapshot()["counts"]["waiting"] == 500
            for task in storm[1:]:
                task.cancel()
            await asyncio.sleep(0)
            assert pool.snapshot()["counts"]["waiting"] == 1
            await pool.resize(max_size=600)
            await storm[0]
            more = asyncio.create_task(pool.acquire(timeout=5))
            await more
            await asyncio.sleep(1)
            assert len(pool._state.deadlines) < 600
            assert len(provider.made) == 4  # three held, one spare

    run_virtual(main())


@pytest.mark.parametrize(
    "knobs",
    [
        {"warm_pool_size": "auto"},
        {"warm_pool_size": -1},
        {"warm_pool_size": True},
        {"warm_pool_size": 5, "max_size": 4},
        {"max_size": 0},
        {"warmup_interval_sec": 0},
        {"create_timeout_sec": math.nan},
        {"hook_timeout_sec": "5"},
        {"stale_sessions": "kill"},
        {"retry_min_sec": 2.0, "retry_max_sec": 1.0},
        {"creates_per_minute": 0},
        {"warm_pool_size": 2, "min_warm": 3},
    ],
)
def test_wrong_settings_are_named(knobs: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as wrong:
        WarmableResourcePool(lambda: object(), **knobs)
    assert any(name in str(wrong.value) for name in knobs)


def test_the_older_names_of_two_knobs() -> None:
    pool = WarmableResourcePool(lambda: object(), min_warm=3, warm_interval_sec=7.0)
    assert (pool._knobs.warm_pool_size, pool._knobs.warmup_interval_sec) == (3, 7.0)


@pytest.mark.parametrize("timeout", [-1, math.nan])
def test_a_timeout_that_is_none(open_pool: Any, provider: ScriptedProvider, timeout: float) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            with pytest.raises(ConfigError):
                await pool.acquire(timeout=timeout)

    run_virtual(main())


def test_before_prepare_after_shutdown_and_on_another_loop(provider: ScriptedProvider) -> None:
    pool: WarmableResourcePool[Any] = WarmableResourcePool(**provider.hooks(), name="tts")

    async def before() -> None:
        with pytest.raises(PoolNotReady, match="prepare"):
            await pool.acquire()
        with pytest.raises(PoolNotReady):
            pool.prefetch("a")

    async def open_it() -> None:
        await pool.prepare()

    async def elsewhere() -> None:
        with pytest.raises(PoolNotReady, match="loop"):
            await pool.acquire()
        with pytest.raises(PoolNotReady, match="loop"):
            await pool.prepare()

    async def after() -> None:
        closed: OnDemandResourcePool[Any] = OnDemandResourcePool(provider.hooks()["factory"], "stt")
        await closed.prepare()
        resource = await closed.acquire()
        await closed.shutdown(0)
        for call in (closed.acquire(), closed.acquire_for_session("a"), closed.prepare()):
            with pytest.raises(PoolClosed):
                await call
        assert not await closed.release(resource)
        assert closed.snapshot()["counts"]["live"] == 0
        assert not closed.snapshot()["ready"]
        await closed.shutdown()
        check_invariants(closed)

    run_virtual(before())
    with asyncio.Runner() as runner:
        runner.run(open_it())
    run_virtual(elsewhere())
    run_virtual(after())


def test_a_factory_that_gives_nothing_or_the_same_again() -> None:
    """One object cannot be lent twice, however often the factory gives it."""
    only = object()

    async def main(gives: Any) -> None:
        async def factory() -> Any:
            return gives

        async with OnDemandResourcePool[Any](factory) as pool:
            if gives is not None:
                assert await pool.acquire() is only
            with pytest.raises(PoolError) as failed:
                await pool.acquire(timeout=2)
            assert isinstance(failed.value.__cause__, TypeError)
            check_invariants(pool)

    run_virtual(main(only))
    run_virtual(main(None))


def test_shutdown_turns_waiters_away_waits_for_leases_then_takes_them(
    open_pool: Any, provider: ScriptedProvider
) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, max_size=3) as pool:
            quick, _ = await pool.acquire_for_session("quick")
            stuck, _ = await pool.acquire_for_session("stuck")
            await pool.acquire_for_session("also stuck")
            pool.prefetch("waits")
            waiting = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            began = asyncio.get_running_loop().time()
            asyncio.get_running_loop().call_later(
                1, lambda: asyncio.ensure_future(pool.release_for_session("quick", quick))
            )
            closing = asyncio.create_task(pool.shutdown(timeout=4))
            await asyncio.sleep(2)
            with pytest.raises(PoolClosed):
                await waiting
            assert (quick.closes, stuck.closes) == (1, 0)
            assert (await pool.acquire_for_session("stuck"))[0] is stuck  # a holder may go on
            await closing
            assert asyncio.get_running_loop().time() == pytest.approx(began + 4)
            assert not await pool.release_for_session("stuck")
            assert pool.snapshot()["closed"]["shutdown"] == 3

    run_virtual(main())


def test_a_second_shutdown_can_only_hurry(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider) as pool:
            await pool.acquire()
            patient = asyncio.create_task(pool.shutdown(timeout=1000))
            await asyncio.sleep(1)
            await pool.shutdown(timeout=0)
            await patient
            assert asyncio.get_running_loop().time() < 10

    run_virtual(main())
