"""Cancel at every tick: the waiter, the releaser, once and twice. Nothing may be lost, no cancel swallowed."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from warmline import WarmableResourcePool
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core

TICKS = range(7)


async def ticks(n: int) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


async def settle() -> None:
    await asyncio.sleep(30)


class Grid:
    """One resource, one holder, one waiter. `hooks` decide how many awaits a hand-over has."""

    def __init__(self, *hooks: str, knobs: dict[str, Any] | None = None) -> None:
        self.provider = ScriptedProvider()
        self.hooks = hooks
        self.knobs = {"max_size": 1, "warm_pool_size": 1} | (knobs or {})

    async def __aenter__(self) -> Grid:
        self.pool = WarmableResourcePool(**self.provider.hooks("close", *self.hooks), **self.knobs)
        await self.pool.prepare()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whatever happened: the resource, or its replacement, can be had again, and nothing is lost."""
        await settle()
        check_invariants(self.pool)
        counts = self.pool.snapshot()["counts"]
        assert counts["leased"] == counts["waiting"] == 0
        assert len(self.provider.open) == counts["live"] == counts["spare"] == 1
        await self.pool.release(await self.pool.acquire(timeout=5))
        await self.pool.shutdown()
        check_invariants(self.pool)
        assert not self.provider.open
        assert not self.provider.closed_twice


async def hold(pool: Any, kind: str) -> None:
    """Acquire in one of the three ways, and give back in the same."""
    if kind == "lease":
        async with pool.lease("waiter"):
            await ticks(2)
    elif kind == "session":
        await pool.acquire_for_session("waiter")
        try:
            await ticks(2)
        finally:
            await pool.release_for_session("waiter")
    else:
        resource = await pool.acquire()
        try:
            await ticks(2)
        finally:
            await pool.release(resource)


async def cancel_twice(task: asyncio.Task[Any], first: int, second: int | None) -> None:
    """Cancel after `first` ticks, and again `second` ticks later."""
    await ticks(first)
    asked = task.cancel()
    if second is not None:
        await ticks(second)
        task.cancel()
    await asyncio.wait([task], timeout=20)
    assert task.done()
    assert task.cancelled() or not asked, "a cancel was swallowed"


HOOKS = [(), ("reset",), ("validate",), ("warm", "reset", "validate")]


@pytest.mark.parametrize("kind", ["lease", "session", "anonymous"])
@pytest.mark.parametrize("hooks", HOOKS)
def test_cancel_the_waiter(kind: str, hooks: tuple[str, ...]) -> None:
    async def schedule(released_after: int, first: int, second: int | None) -> None:
        async with Grid(*hooks) as grid:
            held = await grid.pool.acquire()
            waiter = asyncio.create_task(hold(grid.pool, kind))
            await ticks(1)  # a task that never ran has no waiter to cancel

            async def release() -> None:
                await ticks(released_after)
                await grid.pool.release(held)

            releaser = asyncio.create_task(release())
            await cancel_twice(waiter, first, second)
            await releaser

    async def main() -> None:
        for released_after, first, second in itertools.product(TICKS, TICKS, [None, 0, 1, 2, 3]):
            await schedule(released_after, first, second)

    run_virtual(main())


@pytest.mark.parametrize("hooks", HOOKS)
@pytest.mark.parametrize("reset", [Outcome.OK, Outcome.ERROR, Outcome.SLOW, Outcome.NEVER, Outcome.ESCAPE])
def test_cancel_the_releaser(hooks: tuple[str, ...], reset: Outcome) -> None:
    async def schedule(waits: int, first: int, second: int | None) -> None:
        async with Grid(*hooks, "keepalive") as grid:
            grid.provider.script("reset", [reset])

            async def use() -> None:
                resource = await grid.pool.acquire()
                try:
                    await ticks(waits)
                finally:
                    await grid.pool.release(resource)
                await ticks(3)

            releaser = asyncio.create_task(use())
            await ticks(1)
            waiter = asyncio.create_task(hold(grid.pool, "session"))
            await cancel_twice(releaser, first, second)
            await waiter

    async def main() -> None:
        for waits, first, second in itertools.product(range(4), range(5), [None, 0, 1, 2]):
            await schedule(waits, first, second)

    run_virtual(main())


@pytest.mark.parametrize("factory", [Outcome.OK, Outcome.SLOW, Outcome.ERROR])
def test_cancel_the_caller_of_a_creation(factory: Outcome) -> None:
    """A creation belongs to the pool: the caller who hangs up leaves a spare behind."""

    async def schedule(first: int, second: int | None) -> None:
        async with Grid(
            "warm", "reset", knobs={"warm_pool_size": 0, "max_size": 4, "warmup_interval_sec": 1e6}
        ) as grid:
            grid.provider.script("factory", [factory])
            caller = asyncio.create_task(hold(grid.pool, "session"))
            await ticks(1)
            await cancel_twice(caller, first, second)
            await asyncio.sleep(10)
            if factory is Outcome.ERROR and not grid.provider.open:
                await grid.pool.release(await grid.pool.acquire())

    async def main() -> None:
        for first, second in itertools.product(range(10), [None, 0, 1, 2, 3]):
            await schedule(first, second)

    run_virtual(main())


def test_time_out_in_the_very_tick_of_the_hand_over() -> None:
    """The deadline and the return fall on the same instant, in either order: held or free, never lost."""

    async def schedule(released_at: float, deadline: float, order: int) -> str:
        async with Grid("reset") as grid:
            held = await grid.pool.acquire()

            async def wait() -> str:
                try:
                    resource = await grid.pool.acquire(timeout=deadline)
                except TimeoutError:
                    return "timed out"
                await grid.pool.release(resource)
                return "served"

            async def release() -> None:
                await asyncio.sleep(released_at)
                await grid.pool.release(held)

            tasks = [wait(), release()] if order else [release(), wait()]
            results = await asyncio.gather(*tasks)
            return next(result for result in results if result)

    async def main() -> None:
        outcomes = {await schedule(1.0, deadline, order) for deadline in (0.5, 1.0, 1.5) for order in (0, 1)}
        assert outcomes == {"served", "timed out"}

    run_virtual(main())


def test_cancel_shutdown_twice() -> None:
    """A cancelled shutdown goes on; the next call joins it."""

    async def schedule(first: int, second: int | None) -> None:
        provider = ScriptedProvider()
        pool = WarmableResourcePool(**provider.hooks("close", "warm"), warm_pool_size=3)
        await pool.prepare()
        await pool.acquire()
        provider.default["close"] = Outcome.SLOW
        closing = asyncio.create_task(pool.shutdown(1.0))
        await ticks(1)
        await cancel_twice(closing, first, second)
        await pool.shutdown()
        check_invariants(pool)
        assert not provider.open
        assert not provider.closed_twice

    async def main() -> None:
        for first, second in itertools.product(range(8), [None, 0, 1, 2]):
            await schedule(first, second)

    run_virtual(main())


@pytest.mark.parametrize("after_sec", [0.0, 0.2, 0.5, 0.6])
def test_cancel_the_preparation(after_sec: float) -> None:
    """`async with pool` that is cancelled before its body leaves nothing: no resource, no task."""
    provider = ScriptedProvider(latency_sec=0.5)
    entered: list[bool] = []

    async def use(pool: WarmableResourcePool[Any]) -> None:
        async with pool:
            entered.append(True)
            await asyncio.sleep(1)

    async def main() -> None:
        provider.script("warm", [Outcome.OK, Outcome.SLOW])
        pool: WarmableResourcePool[Any] = WarmableResourcePool(**provider.hooks("warm", "close"), warm_pool_size=2)
        user = asyncio.create_task(use(pool))
        await asyncio.sleep(after_sec)
        user.cancel()
        await asyncio.wait([user])
        assert user.cancelled()
        assert not entered
        check_invariants(pool)
        assert pool.snapshot()["counts"]["live"] == 0
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())
    assert not provider.open
