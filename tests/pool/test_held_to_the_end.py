"""What a holder holds stays open until it lets go, even when it died; and a holder that let go reaches nothing more."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from warmline import AllocationTier, WarmableResourcePool
from warmline.errors import PoolNotReady, PoolTimeout
from warmline.testing import ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core
DEDICATED, WARM = AllocationTier.DEDICATED, AllocationTier.WARM


@pytest.mark.parametrize("how", ["invalidate", "exception", "alive"])
def test_a_resource_that_died_is_not_closed_under_its_lease(
    open_pool: Any, provider: ScriptedProvider, how: str
) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2) as pool, pool.lease("a") as outer:
            if how == "invalidate":
                outer.invalidate()
            elif how == "alive":
                outer.resource.alive = False
            else:
                with pytest.raises(ZeroDivisionError):
                    async with pool.lease("a"):
                        raise ZeroDivisionError
            async with pool.lease("a") as inner:
                assert inner.resource is not outer.resource
                assert inner.tier is WARM
                async with pool.lease("a") as innermost:  # the session's resource is the fresh one from now on
                    assert innermost.resource is inner.resource
                    assert innermost.tier is DEDICATED
                await asyncio.sleep(1)
                check_invariants(pool)
                assert outer.resource.closes == 0
            await asyncio.sleep(1)
            dead = outer.resource
            assert dead.closes == 0
        assert dead.closes == 1

    run_virtual(main())


def test_releasing_the_session_ends_its_hold_on_what_died_too(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2) as pool:
            first, _ = await pool.acquire_for_session("a")
            pool.invalidate(first)
            second, tier = await pool.acquire_for_session("a")
            await asyncio.sleep(1)
            assert (second is not first, tier, first.closes) == (True, WARM, 0)
            assert await pool.release_for_session("a")
            await asyncio.sleep(1)
            assert (first.closes, second.closes) == (1, 0)
            assert await pool.release_for_session("a") is False
            third, _ = await pool.acquire_for_session("a")
            pool.invalidate(third)
            await pool.acquire_for_session("a")
            assert await pool.release_for_session("a", third)  # that one alone
            await asyncio.sleep(1)
            assert third.closes == 1
            assert pool.snapshot()["counts"]["leased"] == 1

    run_virtual(main())


def test_what_was_handed_over_and_died_is_no_shutdown(open_pool: Any) -> None:
    """Served, then found dead by another caller of the session, all before the first runs again."""

    async def main() -> None:
        provider = ScriptedProvider(alive=None)
        async with open_pool(provider, warm_pool_size=1, max_size=1) as pool:
            resource = await pool.acquire()
            first = asyncio.create_task(pool.acquire_for_session("a"))
            await asyncio.sleep(0)
            await pool.release(resource)
            pool.invalidate(resource)
            with pytest.raises(PoolTimeout):  # the only place is the dead one's, which is held
                await pool.acquire_for_session("a", timeout=1)
            assert (await first)[0] is resource
            assert resource.closes == 0
            await pool.release_for_session("a", resource)
            assert (await pool.acquire_for_session("a"))[0] is not resource

    run_virtual(main())


def test_served_and_died_and_released_in_one_instant(open_pool: Any) -> None:
    """The caller that was served keeps what it was given, beside its session's next resource."""

    async def main() -> None:
        provider = ScriptedProvider(alive=None)
        async with open_pool(provider, warm_pool_size=1, max_size=2) as pool:
            held = [await pool.acquire(), await pool.acquire()]
            first = asyncio.create_task(pool.acquire_for_session("a"))
            await asyncio.sleep(0)
            await pool.release(held[0])
            pool.invalidate(held[0])
            second = asyncio.create_task(pool.acquire_for_session("a"))
            release = asyncio.create_task(pool.release(held[1]))
            await asyncio.gather(first, second, release)
            check_invariants(pool)
            assert first.result()[0] is held[0]
            assert second.result()[0] is held[1]
            assert held[0].closes == 0
            pool.touch("a")
            await pool.release_for_session("a")
            await asyncio.sleep(1)
            assert (held[0].closes, held[1].closes) == (1, 0)

    run_virtual(main())


def test_touch_speaks_for_all_that_a_session_holds(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        knobs = {"session_max_age_sec": 60.0, "warmup_interval_sec": 10.0, "stale_sessions": "reclaim"}
        async with open_pool(provider, warm_pool_size=2, **knobs) as pool:
            first, _ = await pool.acquire_for_session("a")
            pool.invalidate(first)
            await pool.acquire_for_session("a")
            for _ in range(20):
                pool.touch("a")
                await asyncio.sleep(15)
            assert pool.snapshot()["counters"]["sessions_reclaimed"] == 0
            assert first.closes == 0
            await asyncio.sleep(100)
            assert pool.snapshot()["counters"]["sessions_reclaimed"] == 2

    run_virtual(main())


def test_a_touch_while_the_session_is_asked_about_is_heard(open_pool: Any, provider: ScriptedProvider) -> None:
    asked = asyncio.Event()

    async def active(_resource: Any) -> bool:
        asked.set()
        await asyncio.sleep(2)
        return False

    async def main() -> None:
        async with open_pool(provider, active_fn=active, session_max_age_sec=60.0) as pool:
            await pool.acquire_for_session("a")
            await asked.wait()
            pool.touch("a")
            await asyncio.sleep(5)
            assert pool.snapshot()["counters"]["sessions_reclaimed"] == 0

    run_virtual(main())


def test_a_lease_that_is_over_reaches_nothing(open_pool: Any) -> None:
    async def main() -> None:
        provider = ScriptedProvider(alive=None)
        async with open_pool(provider, warm_pool_size=1, max_size=1) as pool:
            lease = pool.lease("a")
            await lease.__aenter__()
            await pool.release_for_session("a")
            resource, _ = await pool.acquire_for_session("b")
            for use in (lambda: lease.resource, lambda: lease.age_sec, lambda: lease.warmth, lease.invalidate):
                with pytest.raises(RuntimeError, match="not open"):
                    use()
            await lease.__aexit__(None, None, None)
            assert (await pool.acquire_for_session("b")) == (resource, DEDICATED)

    run_virtual(main())


def test_a_lease_is_left_on_its_own_loop(provider: ScriptedProvider) -> None:
    async def main() -> None:
        pool: WarmableResourcePool[Any] = WarmableResourcePool(**provider.hooks("close"))
        await pool.prepare()
        async with pool.lease("a") as lease:
            refused: list[BaseException] = []

            async def elsewhere() -> None:
                for leave in (lease.__aexit__(None, None, None), asyncio.to_thread(int), None):
                    try:
                        lease.invalidate() if leave is None else await leave
                    except PoolNotReady as error:
                        refused.append(error)

            thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
            thread.start()
            thread.join()
            assert len(refused) == 2
            assert pool.snapshot()["counts"]["leased"] == 1
            assert (await pool.acquire_for_session("a"))[1] is DEDICATED  # nothing was invalidated
        await pool.release_for_session("a")
        await pool.shutdown()
        check_invariants(pool)

    asyncio.run(main())


def test_what_a_shutdown_took_may_be_looked_at(provider: ScriptedProvider) -> None:
    """By whoever cleans up behind it; it is nobody else's."""

    async def main() -> None:
        pool: WarmableResourcePool[Any] = WarmableResourcePool(**provider.hooks("close"))
        await pool.prepare()
        async with pool.lease() as lease:
            held = lease.resource
            await pool.shutdown(0)
            assert lease.resource is held
            assert held.closes == 1
        with pytest.raises(RuntimeError, match="not open"):
            _ = lease.resource

    run_virtual(main())
