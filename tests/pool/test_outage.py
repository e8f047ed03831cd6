"""A provider that is down: back-off, one probe, errors that say why, quick recovery."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from warmline.errors import CreateFailed, PoolError, PoolTimeout, WarmUpFailed
from warmline.testing import HookFailed, Outcome, ScriptedProvider, run_virtual

pytestmark = pytest.mark.core


def test_callers_fail_fast_with_the_cause_once_the_breaker_is_open(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        provider.down = True
        async with open_pool(provider, warm_pool_size=0) as pool:
            with pytest.raises(CreateFailed) as failed:
                await pool.acquire(timeout=20)
            assert isinstance(failed.value.__cause__, HookFailed)
            assert (failed.value.pool, failed.value.waiting) == ("pool", 1)
            assert provider.count("factory") == 3
            for _ in range(50):  # nobody adds to the load
                with pytest.raises(CreateFailed):
                    await pool.acquire()
            assert provider.count("factory") == 3
            assert pool.snapshot()["breaker_open"]

    run_virtual(main())


def test_one_caller_is_the_probe_and_no_herd_follows(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        provider.down = True
        async with open_pool(provider, warm_pool_size=0, retry_min_sec=1.0, retry_max_sec=4.0) as pool:
            with pytest.raises(CreateFailed):
                await pool.acquire()
            provider.down = False
            await asyncio.sleep(4)
            callers = [asyncio.create_task(pool.acquire()) for _ in range(20)]
            results = await asyncio.gather(*callers, return_exceptions=True)
            served = [result for result in results if not isinstance(result, PoolError)]
            assert len(served) == 1
            assert provider.count("factory") == 4
            await pool.acquire()  # one probe, and all is well

    run_virtual(main())


def test_recovery_without_callers(open_pool: Any, provider: ScriptedProvider) -> None:
    """The refill probes too, further and further apart."""

    async def main() -> None:
        provider.down = True
        async with open_pool(provider, warm_pool_size=2, retry_min_sec=1.0, retry_max_sec=8.0) as pool:
            await asyncio.sleep(300)
            assert 300 / 8 <= provider.count("factory") <= 300 / 1
            provider.down = False
            assert await pool.wait_warm(timeout=8.0 + 1.0)
            assert not pool.snapshot()["breaker_open"]

    run_virtual(main())


def test_spares_are_served_while_the_breaker_is_open(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=3) as pool:
            provider.down = True
            await pool.acquire()
            await asyncio.sleep(20)
            assert pool.snapshot()["breaker_open"]
            await pool.acquire()
            await pool.acquire()
            with pytest.raises(CreateFailed):
                await pool.acquire()

    run_virtual(main())


def test_a_failed_creation_fails_nobody_before_the_deadline(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        provider.script("factory", [Outcome.ERROR, Outcome.ERROR])
        async with open_pool(provider, warm_pool_size=0) as pool:
            assert await pool.acquire(timeout=5)
            assert provider.count("factory") == 3

    run_virtual(main())


@pytest.mark.parametrize("outcome", [Outcome.FALSE, Outcome.ERROR, Outcome.NEVER, Outcome.DEAF, Outcome.ESCAPE])
def test_what_was_not_warmed_is_never_lent(open_pool: Any, provider: ScriptedProvider, outcome: Outcome) -> None:
    async def main() -> None:
        provider.default["warm"] = outcome
        async with open_pool(provider, "warm", warm_pool_size=0, create_timeout_sec=2.0) as pool:
            with pytest.raises(PoolError) as failed:
                await pool.acquire(timeout=15)
            causes = {Outcome.FALSE: WarmUpFailed, Outcome.NEVER: TimeoutError, Outcome.DEAF: TimeoutError}
            assert isinstance(failed.value.__cause__, causes.get(outcome, BaseException))
            await asyncio.sleep(10)
            assert pool.snapshot()["metrics"]["allocations_total"] == 0
            assert pool.snapshot()["closed"]["warm_failed"] == len(provider.made) >= 3

    run_virtual(main())


def test_a_hung_creation_stops_nobody(open_pool: Any, provider: ScriptedProvider) -> None:
    """Older than three medians, it no longer counts as about to come: the waiter gets another."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, create_timeout_sec=60.0) as pool:
            for _ in range(3):
                await pool.acquire()
            provider.script("factory", [Outcome.NEVER])
            began = asyncio.get_running_loop().time()
            await pool.acquire()
            assert asyncio.get_running_loop().time() - began == pytest.approx(3 * 0.5 + 0.5)

    run_virtual(main())


def test_a_late_result_is_closed(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, create_timeout_sec=1.0) as pool:
            provider.script("factory", [Outcome.DEAF])
            await pool.acquire(timeout=10)
            await asyncio.sleep(10)
            late = next(resource for resource in provider.made if resource.closes)
            assert late.closes == 1
            counters = pool.snapshot()["counters"]
            assert (counters["abandoned_hooks"], counters["late_results_closed"]) == (1, 1)

    run_virtual(main())


@pytest.mark.parametrize("hook", ["factory", "warm", "validate"])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_acquire_ends_by_its_deadline(
    open_pool: Any, provider: ScriptedProvider, hook: str, outcome: Outcome
) -> None:
    async def main() -> None:
        async with open_pool(provider, "warm", "validate", warm_pool_size=1) as pool:
            await asyncio.sleep(100)
            provider.default[hook] = outcome
            loop = asyncio.get_running_loop()
            for timeout in (0.3, 2.0, 7.0):
                began = loop.time()
                with contextlib.suppress(PoolError):
                    await pool.acquire(timeout=timeout)
                assert loop.time() - began <= timeout + 1e-6
            provider.default.clear()

    run_virtual(main())


def test_a_time_out_tells_the_last_failure(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, max_size=2) as pool:
            await pool.acquire()
            provider.script("factory", [Outcome.ERROR, Outcome.NEVER])
            with pytest.raises(PoolTimeout) as failed:
                await pool.acquire(timeout=3)
            assert isinstance(failed.value, TimeoutError)
            assert isinstance(failed.value.__cause__, HookFailed)
            assert (failed.value.leased, failed.value.creating) == (1, 1)

    run_virtual(main())
