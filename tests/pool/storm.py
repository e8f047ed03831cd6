"""Real time, real loops, and a crowd of callers."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from warmline import WarmableResourcePool
from warmline.errors import PoolError
from warmline.testing import Outcome, ScriptedProvider, check_invariants


def event_loops() -> list[Any]:
    """Asyncio's own and, where it is installed, uvloop."""
    loops: list[Any] = [pytest.param(asyncio.new_event_loop, id="asyncio")]
    try:
        import uvloop
    except ImportError:
        return loops
    return [*loops, pytest.param(uvloop.new_event_loop, id="uvloop")]


async def storm(operations: int, seed: int) -> int:
    """Callers of every kind, some of whom hang up, on a provider that is slow and fails now and then.

    Ends once callers have acquired and released so often, and returns how often.
    """
    draw = random.Random(seed)
    provider = ScriptedProvider(latency_sec=0.002, slow_sec=0.01)
    kinds = [Outcome.OK] * 12 + [Outcome.SLOW, Outcome.ERROR, Outcome.FALSE, Outcome.ESCAPE]
    for hook in ("factory", "warm", "validate", "reset", "keepalive"):
        provider.script(hook, draw.choices(kinds, k=operations // 2))
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
    done = 0

    async def call(number: int) -> None:
        nonlocal done
        try:
            async with pool.lease(f"session-{number}" if number % 3 else None, timeout=20) as lease:
                held[lease.resource] = held.get(lease.resource, 0) + 1
                assert held[lease.resource] == 1
                done += 1
                try:
                    await asyncio.sleep(draw.choice([0, 0, 0.001]))
                finally:
                    held[lease.resource] -= 1
                    done += 1
        except PoolError:
            pass

    async with pool:
        while done < operations:
            tasks = [asyncio.create_task(call(number)) for number in range(50)]
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
    return done
