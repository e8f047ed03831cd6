"""What went wrong in earlier warm pools, each as the promise that it does not happen here, numbered as it was found."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from warmline import AllocationTier, OnDemandResourcePool, WarmableResourcePool
from warmline.errors import ForeignResource, PoolClosed, PoolError, PoolNotReady, PoolTimeout
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core
DEDICATED, WARM, COLD = AllocationTier.DEDICATED, AllocationTier.WARM, AllocationTier.COLD


def test_05_spares_do_not_grow_stale(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "keepalive", warm_pool_size=2, max_idle_sec=60.0) as pool:
            await asyncio.sleep(3600)
            async with pool.lease("a") as lease:
                entry = lease._held()
                assert pool._engine.now() - entry.verified_at < 60.0
            assert provider.count("keepalive") >= 2 * 3600 / 60

    run_virtual(main())


def test_06_what_was_not_warmed_is_never_warm(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        provider.default["warm"] = Outcome.FALSE
        async with open_pool(provider, "warm", warm_pool_size=2) as pool:
            await asyncio.sleep(20)
            assert pool.snapshot()["warm_pool_size"] == 0
            assert pool.snapshot()["metrics"]["warmup_failures"] > 0
            assert not provider.open

    run_virtual(main())


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


def test_12_stale_sessions_are_met_without_spares_and_without_refill(
    open_pool: Any, provider: ScriptedProvider
) -> None:
    async def main() -> None:
        knobs = {"enable_background_warmup": False, "stale_sessions": "reclaim", "session_max_age_sec": 60.0}
        async with open_pool(provider, warm_pool_size=0, **knobs) as pool:
            for number in range(50):
                await pool.acquire_for_session(f"{number}")
            await asyncio.sleep(120)
            assert pool.snapshot()["active_sessions"] == 0

    run_virtual(main())


def test_13_a_live_call_keeps_its_resource(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, session_max_age_sec=60.0) as pool:
            resource, _ = await pool.acquire_for_session("a call of four hours")
            await asyncio.sleep(4 * 3600)
            assert await pool.acquire_for_session("a call of four hours") == (resource, DEDICATED)
            assert resource.closes == 0

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


def test_17_everything_is_closed_and_never_on_the_loop() -> None:
    """A blocking close runs in a thread."""
    closers: set[int] = set()

    class Client:
        def close(self) -> None:
            closers.add(threading.get_ident())

    async def main() -> None:
        async with WarmableResourcePool(Client, warm_pool_size=3) as pool:
            await pool.release(await pool.acquire(), broken=True)
        assert pool.snapshot()["closed"]["shutdown"] >= 2

    run_virtual(main())
    assert closers
    assert threading.get_ident() not in closers


def test_18_nothing_works_before_prepare_or_after_shutdown(provider: ScriptedProvider) -> None:
    async def main() -> None:
        pool: WarmableResourcePool[Any] = WarmableResourcePool(**provider.hooks("close"))
        with pytest.raises(PoolNotReady):
            await pool.acquire_for_session("a")
        await pool.prepare()
        resource = await pool.acquire()
        await pool.shutdown(0)
        assert not await pool.release(resource)
        with pytest.raises(PoolClosed):
            await pool.acquire()
        assert pool.snapshot()["counts"]["live"] == 0

    run_virtual(main())


def test_19_shutdown_calls_off_what_is_being_made(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        provider.default["factory"] = Outcome.DEAF
        async with open_pool(provider, warm_pool_size=0) as pool:
            caller = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0.1)
            await pool.shutdown(5)
            with pytest.raises(PoolClosed):
                await caller
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())


def test_20_a_cancelled_caller_leaks_nothing(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "warm", warm_pool_size=0) as pool:
            callers = [asyncio.create_task(pool.acquire()) for _ in range(5)]
            await asyncio.sleep(0.1)
            for caller in callers:
                caller.cancel()
            await asyncio.sleep(1)
            assert len(provider.made) == pool.snapshot()["warm_pool_size"] + len([r for r in provider.made if r.closes])

    run_virtual(main())


def test_21_on_demand_sessions_do_not_queue_behind_each_other(provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with OnDemandResourcePool(provider.hooks()["factory"], max_concurrent_creates=20) as pool:
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


def test_23_a_return_and_a_refill_in_one_instant_lose_nothing(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, max_spares=1) as pool:
            resource = await pool.acquire()
            await asyncio.sleep(0.5)  # the refill ends now
            await pool.release(resource)
            await asyncio.sleep(1)
            check_invariants(pool)
            assert len(provider.open) == pool.snapshot()["warm_pool_size"]
            await asyncio.sleep(120)
            assert len(provider.open) == 1  # what is too much goes on the sweeps

    run_virtual(main())


def test_24_a_step_of_the_wall_clock_changes_nothing(
    open_pool: Any, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with open_pool(provider, stale_sessions="reclaim", max_idle_sec=60.0) as pool:
            await pool.acquire_for_session("a")
            monkeypatch.setattr(time, "time", lambda: 4e9)
            await asyncio.sleep(35)
            assert pool.snapshot()["active_sessions"] == 1
            assert pool.snapshot()["metrics"]["timestamp"] == 4e9
            monkeypatch.undo()

    run_virtual(main())


def test_25_a_pool_may_be_made_before_any_loop_and_touched_from_any_thread(provider: ScriptedProvider) -> None:
    pool: WarmableResourcePool[Any] = WarmableResourcePool(**provider.hooks(), session_max_age_sec=60.0)

    async def main() -> None:
        async with pool:
            await pool.acquire_for_session("a")
            toucher = threading.Thread(target=pool.touch, args=("a",))
            toucher.start()
            toucher.join()
            await asyncio.sleep(40)
            assert pool._state.sessions["a"].touched

    run_virtual(main())


def test_26_a_resource_that_cannot_be_cleared_is_not_pooled() -> None:
    class Client:
        cleared = 0

        def clear_session_state(self) -> None:
            self.cleared += 1
            raise RuntimeError

    async def main() -> None:
        made: list[Client] = []

        async def factory() -> Client:
            made.append(Client())
            return made[-1]

        async with OnDemandResourcePool(factory) as pool:
            resource = await pool.acquire()
            await pool.release_for_session(None, resource)
            assert resource.cleared == 1  # once
            assert pool.snapshot()["closed"]["reset_failed"] == 1
            assert await pool.acquire() is not resource

    run_virtual(main())


def test_30_two_pools_one_failing_leave_nothing_behind(open_pool: Any, provider: ScriptedProvider) -> None:
    """A session that gets its first resource and not its second gives the first back."""

    async def main() -> None:
        broken = ScriptedProvider()
        broken.down = True
        async with open_pool(provider, name="tts") as tts, open_pool(broken, name="stt", warm_pool_size=0) as stt:
            with pytest.raises(PoolError):
                async with tts.lease("a"), stt.lease("a", timeout=3):
                    pytest.fail("there is no recogniser")
            assert tts.snapshot()["active_sessions"] == stt.snapshot()["active_sessions"] == 0

    run_virtual(main())


def test_34_an_outage_is_counted_backed_off_and_named(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        provider.down = True
        async with open_pool(provider, warm_pool_size=3) as pool:
            stream = pool.observe()
            await asyncio.sleep(600)
            assert provider.count("factory") <= 3 + 600 / 0.25
            assert provider.count("factory") < 600  # on average more than a second apart
            assert pool.snapshot()["metrics"]["warmup_failures"] == provider.count("factory")
            assert {event.error for event in stream.drain()} == {"HookFailed"}
            with pytest.raises(PoolError) as refused:
                await pool.acquire()
            assert refused.value.__cause__ is not None

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
            from warmline.pool import steering

            await pool.release(held)
            steering.begin_close(pool._state, pool._engine.now())
            steering.take_back_all(pool._state, pool._engine.now())
            pool._engine.perform()
            with pytest.raises(PoolClosed):
                await caller
            assert pool._state.live <= 1

    run_virtual(main())
