"""`prepare()` and `wait_warm()` beside a shutdown, a cancellation, a rotation."""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from typing import Any

import pytest

from warmline import AllocationTier, WarmableResourcePool
from warmline.errors import PoolClosed
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


def test_a_shutdown_ends_prepare_and_wait_warm(provider: ScriptedProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "warmline.pool")

    async def main() -> None:
        provider.default["factory"] = Outcome.SLOW
        pool: WarmableResourcePool[Any] = WarmableResourcePool(**provider.hooks("close"))
        preparing = asyncio.create_task(pool.prepare())
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(pool.wait_warm(timeout=math.inf))
        await asyncio.sleep(0)
        await pool.shutdown()
        shut_at = asyncio.get_running_loop().time()
        with pytest.raises(PoolClosed):
            await preparing
        assert await waiting is False
        assert asyncio.get_running_loop().time() == shut_at
        assert await pool.wait_warm(0) is False
        assert "Pool ready" not in caplog.text
        check_invariants(pool)

    run_virtual(main())


def test_a_prepare_that_is_cancelled_can_be_repeated(provider: ScriptedProvider) -> None:
    """Where background refill is off, a floor fills while somebody prepares, and not otherwise."""

    async def main() -> None:
        provider.latency_sec = 2.0
        pool: WarmableResourcePool[Any] = WarmableResourcePool(
            **provider.hooks("close"), enable_background_warmup=False, warm_pool_size=2
        )
        first, second = asyncio.create_task(pool.prepare()), asyncio.create_task(pool.prepare())
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.wait([first])
        assert pool.snapshot()["ready"] is False  # the second still prepares
        second.cancel()
        await asyncio.wait([second])
        assert pool.snapshot()["ready"] is True
        await asyncio.sleep(5)
        await pool.acquire()
        await asyncio.sleep(5)
        assert provider.count("factory") == 2  # nobody refilled
        await pool.prepare()
        assert pool.snapshot()["warm_pool_size"] == 2
        await pool.acquire()
        await pool.prepare()  # once prepared, it is harmless
        assert provider.count("factory") == 3
        await pool.shutdown(0)
        check_invariants(pool)

    run_virtual(main())


def test_after_a_rotation_only_what_was_made_since_is_warm(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2) as pool:
            rotated_at = asyncio.get_running_loop().time()
            await pool.rotate()
            assert pool.snapshot()["warm_pool_size"] == 2  # the last resort until then
            assert await pool.wait_warm()
            assert asyncio.get_running_loop().time() > rotated_at
            resource, tier = await pool.acquire_for_session("a")
            assert resource.serial >= 2
            assert tier is AllocationTier.WARM

    run_virtual(main())


def test_a_session_id_need_not_be_a_string(
    open_pool: Any, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """Not that it should: but what is logged of it never gets in the way of a call, or of the sweep."""
    caplog.set_level(logging.DEBUG, "warmline.pool")

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1, session_max_age_sec=60.0) as pool:
            session: Any = uuid.UUID(int=1 << 127)
            resource, _ = await pool.acquire_for_session(session)
            assert await pool.acquire_for_session(session) == (resource, AllocationTier.DEDICATED)
            await asyncio.sleep(100)
            assert pool.snapshot()["counters"]["sessions_flagged"] == 1
            assert pool.snapshot()["counters"]["sweeps"] == 3
            assert await pool.release_for_session(session)
        assert "80000000..." in caplog.text
        assert str(session) not in caplog.text

    run_virtual(main())
