"""Sync hooks wait for their threads, and keep off the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from warmline import WarmableResourcePool
from warmline.testing import check_invariants, run_virtual

pytestmark = pytest.mark.core


@pytest.mark.parametrize("error", [None, OSError(), StopIteration()])
def test_super_warm_resource_keeps_a_sync_warm_fn_off_the_event_loop(error: BaseException | None) -> None:
    class Clients(WarmableResourcePool[list[str]]):
        async def _warm_resource(self, resource: list[str]) -> None:
            await super()._warm_resource(resource)

    where: list[threading.Thread] = []

    def warm(_: list[str]) -> None:
        where.append(threading.current_thread())
        if error is not None:
            raise error

    async def main() -> None:
        async with Clients(list, warm_fn=warm) as pool:
            assert (pool.snapshot()["counters"]["warmed"] == 1) is (error is None)
            assert (pool.snapshot()["counters"]["create_failures"] >= 1) is (error is not None)

    run_virtual(main())
    assert threading.main_thread() not in where


def test_a_warm_fn_that_hangs_below_an_override_is_abandoned(open_pool: Any) -> None:
    class Clients(WarmableResourcePool[Any]):
        async def _warm_resource(self, resource: Any) -> None:
            await super()._warm_resource(resource)

    hang = threading.Event()

    async def main() -> None:
        pool = Clients(object, warm_fn=lambda _: hang.wait(), create_timeout_sec=0.1)
        await pool.prepare()
        while not pool.snapshot()["counters"]["abandoned_hooks"]:
            await asyncio.sleep(0.01)
        hang.set()
        await pool.shutdown()
        check_invariants(pool)

    asyncio.run(main())


@pytest.mark.parametrize("hook", ["keepalive", "reset", "factory"])
def test_the_bound_of_a_hook_counts_from_its_start(monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    """One thread: while the first hook hangs in it the second only waits, and is not to blame for that."""
    monkeypatch.setattr("warmline.pool.threads.MAX_THREADS", 1)
    hang = threading.Event()
    calls: list[str] = []

    def first_hangs(*_: object) -> object:
        calls.append(hook)
        if len(calls) == 1:
            hang.wait()
        return object()

    async def make() -> object:
        return object()

    async def main() -> None:
        hooks: dict[str, Any] = {"factory": make} | {hook if hook == "factory" else f"{hook}_fn": first_hangs}
        knobs: dict[str, Any] = {"warm_pool_size": 4, "keepalive_interval_sec": 3600.0}
        pool: WarmableResourcePool[Any] = WarmableResourcePool(
            **hooks, **knobs, hook_timeout_sec=0.5, create_timeout_sec=0.5
        )
        await pool.prepare()
        pool.reverify()
        held = [] if hook == "factory" else [await pool.acquire(), await pool.acquire()]
        for resource in held:
            await pool.release(resource)
        assert await pool.wait_warm(4)
        while len(calls) < 2:
            await asyncio.sleep(0.01)
        assert await pool.wait_warm(4)
        counters = pool.snapshot()["counters"]
        assert counters["abandoned_hooks"] == 1
        assert sum(pool.snapshot()["closed"].values()) == (hook != "factory")
        hang.set()
        await pool.shutdown()

    asyncio.run(main())


def test_closes_run_however_many_hooks_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warmline.pool.threads.MAX_ABANDONED", 1)
    hang = threading.Event()
    closed: list[object] = []

    async def main() -> None:
        pool: WarmableResourcePool[object] = WarmableResourcePool(
            object,
            warm_pool_size=3,
            keepalive_fn=lambda _: hang.wait(),
            close_fn=closed.append,
            keepalive_interval_sec=3600.0,
            hook_timeout_sec=0.2,
        )
        await pool.prepare()
        pool.reverify()
        while not pool.snapshot()["counters"]["abandoned_hooks"]:
            await asyncio.sleep(0.01)
        await pool.shutdown(0)
        assert pool.snapshot()["counters"]["close_failures"] == 0
        assert len(closed) == pool.snapshot()["counters"]["created"] == 3
        hang.set()

    asyncio.run(main())
