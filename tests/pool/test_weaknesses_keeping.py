"""What went wrong behind the counter of earlier warm pools (keeping, closing, failing), each as the promise that it
does not happen here, numbered as it was found."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from warmline import AllocationTier, OnDemandResourcePool, WarmableResourcePool
from warmline.errors import PoolClosed, PoolError, PoolNotReady
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

        async with OnDemandResourcePool[Any](factory) as pool:
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
