"""A short run in real time, on asyncio's loop and on uvloop: nothing here depends on how long anything takes."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from warmline import WarmableResourcePool
from warmline.errors import PoolError
from warmline.testing import Outcome, ScriptedProvider, check_invariants

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.core


def _loops() -> list[Any]:
    loops: list[Any] = [pytest.param(asyncio.new_event_loop, id="asyncio")]
    try:
        import uvloop
    except ImportError:
        return loops
    return [*loops, pytest.param(uvloop.new_event_loop, id="uvloop")]


async def storm(calls: int, seed: int) -> None:
    """Callers of every kind, some of whom hang up, on a provider that is slow and fails now and then."""
    draw = random.Random(seed)
    provider = ScriptedProvider(latency_sec=0.002, slow_sec=0.01)
    kinds = [Outcome.OK] * 12 + [Outcome.SLOW, Outcome.ERROR, Outcome.FALSE, Outcome.ESCAPE]
    for hook in ("factory", "warm", "validate", "reset", "keepalive"):
        provider.script(hook, draw.choices(kinds, k=calls))
    pool: WarmableResourcePool[Any] = WarmableResourcePool(
        **provider.hooks("warm", "validate", "reset", "keepalive", "close"),
        warm_pool_size=3,
        max_size=12,
        max_idle_sec=0.5,
        retry_min_sec=0.001,
        retry_max_sec=0.01,
        hook_timeout_sec=5.0,
    )
    held: dict[Any, int] = {}

    async def call(number: int) -> None:
        try:
            async with pool.lease(f"session-{number}" if number % 3 else None, timeout=20) as lease:
                held[lease.resource] = held.get(lease.resource, 0) + 1
                assert held[lease.resource] == 1
                try:
                    await asyncio.sleep(draw.choice([0, 0, 0.001]))
                finally:
                    held[lease.resource] -= 1
        except PoolError:
            pass

    async with pool:
        for first in range(0, calls, 50):
            tasks = [asyncio.create_task(call(number)) for number in range(first, min(first + 50, calls))]
            await asyncio.sleep(0)
            for task in draw.sample(tasks, 10):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            failures = [t.exception() for t in tasks if not t.cancelled() and t.exception()]
            assert not failures
            check_invariants(pool)
    check_invariants(pool)
    assert not provider.open
    assert not provider.closed_twice


@pytest.mark.parametrize("new_loop", _loops())
def test_a_storm_in_real_time(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(storm(500, seed=1))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("new_loop", _loops())
def test_a_million_operations(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(storm(500_000, seed=2))
