"""Hooks, sync and async: bounded in time, off the loop, out of the caller's context. Sync ones run in real threads."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from typing import Any

import pytest

from warmline import WarmableResourcePool
from warmline.errors import PoolError
from warmline.pool import threads
from warmline.pool.hooks import is_async
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


def test_sync_hooks_run_in_threads_and_virtual_time_waits_for_them(open_pool: Any) -> None:
    provider = ScriptedProvider(sync=True, slow_sec=0.05)
    where: set[int] = set()

    def validate(_resource: Any) -> bool:
        where.add(threading.get_ident())
        return True

    async def main() -> None:
        provider.default["factory"] = provider.default["warm"] = Outcome.SLOW
        hooks = ("warm", "reset", "keepalive")
        async with open_pool(provider, *hooks, validate_fn=validate, warm_pool_size=2, max_idle_sec=20.0) as pool:
            assert pool.snapshot()["warm_pool_size"] == 2
            assert asyncio.get_running_loop().time() < 0.001  # the clock stood still while the threads worked
            await asyncio.sleep(19)
            async with pool.lease("a"):
                check_invariants(pool)
            await asyncio.sleep(5)
            assert provider.count("keepalive") >= 2
            assert provider.count("reset") == 1
        assert threading.get_ident() not in where

    run_virtual(main())


@pytest.mark.parametrize("hook", ["factory", "warm", "validate", "reset", "close"])
def test_a_sync_hook_that_hangs_is_abandoned_and_its_late_result_closed(hook: str) -> None:
    """In real time: a thread cannot be cancelled. Others proceed meanwhile."""

    async def main() -> None:
        provider = ScriptedProvider(sync=True)
        hang = threading.Event()
        original = provider._block
        hung: list[str] = []

        def block(name: str, latency_sec: float) -> bool:
            if name == hook and not hung:
                hung.append(name)
                hang.wait(20)
            return original(name, latency_sec)

        provider._block = block  # type: ignore[method-assign]
        pool: WarmableResourcePool[Any] = WarmableResourcePool(
            **provider.hooks("warm", "validate", "reset", "close"),
            warm_pool_size=0,
            validate_after_sec=0.0,
            create_timeout_sec=1.0,  # real threads on a busy machine
            hook_timeout_sec=1.0,
        )
        await pool.prepare()
        for _ in range(3):
            resource = await pool.acquire(timeout=20)
            await pool.release(resource, broken=hook == "close")
            await asyncio.sleep(0.02)
        check_invariants(pool)
        assert await pool._engine.until(lambda: pool._state.counters.abandoned_hooks > 0, 20)
        hang.set()
        await pool.shutdown()
        for _ in range(1000):
            if provider.open:
                await asyncio.sleep(0.01)
        check_invariants(pool)
        assert pool.snapshot()["counters"]["abandoned_hooks"] == 1
        assert not provider.closed_twice

    asyncio.run(main())


def test_too_many_hung_threads_fail_creations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MAX_ABANDONED", 3)
    hang = threading.Event()

    async def main() -> None:
        pool: WarmableResourcePool[Any] = WarmableResourcePool(
            lambda: hang.wait(20) and object(), warm_pool_size=0, create_timeout_sec=0.05, retry_min_sec=0.0
        )
        await pool.prepare()
        said: list[str] = []
        while not any("hang in their threads" in words for words in said):
            with pytest.raises(PoolError) as failed:
                await pool.acquire(timeout=2)
            said.append(str(failed.value.__cause__))
        assert pool.snapshot()["counters"]["abandoned_hooks"] == 3
        hang.set()
        await pool.shutdown()
        check_invariants(pool)

    asyncio.run(main())


def test_a_caller_who_leaves_does_not_abandon_a_thread(open_pool: Any) -> None:
    provider = ScriptedProvider(sync=True, slow_sec=0.05)
    provider.default["factory"] = Outcome.SLOW

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            caller = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            caller.cancel()
            assert await pool.wait_warm(1)  # the pool's creation becomes a spare
            assert pool.snapshot()["counters"]["abandoned_hooks"] == 0

    run_virtual(main())


def test_the_callers_context_does_not_leak_into_hooks(open_pool: Any, provider: ScriptedProvider) -> None:
    call: contextvars.ContextVar[str] = contextvars.ContextVar("call", default="none")
    seen: list[str] = []

    async def warm(_resource: Any) -> None:
        seen.append(call.get())

    async def main() -> None:
        async with open_pool(provider, warm_fn=warm, warm_pool_size=0) as pool:
            call.set("a caller's trace")
            await pool.acquire()
        assert seen == ["none"]

    run_virtual(main())


def test_what_counts_as_async() -> None:
    async def coroutine() -> None: ...

    class Callable:
        async def __call__(self) -> None: ...

    assert is_async(coroutine)
    assert is_async(functools.partial(functools.partial(coroutine)))
    assert is_async(Callable())
    assert not is_async(object)
    assert not is_async(lambda: coroutine())


def test_a_sync_hook_may_return_an_awaitable_and_a_class_is_a_factory() -> None:
    class Client:
        ready = False

        async def connect(self) -> None:
            self.ready = True

    async def main() -> None:
        async with WarmableResourcePool(Client, warm_fn=lambda client: client.connect()) as pool:
            assert (await pool.acquire()).ready
        async with WarmableResourcePool(functools.partial(_made, Client), warm_pool_size=1) as pool:
            assert isinstance(await pool.acquire(), Client)

    run_virtual(main())


async def _made(kind: type[Any]) -> Any:
    return kind()


def test_warm_resource_can_be_overridden() -> None:
    """The older way to warm; super() calls warm_fn, sync or async."""

    class Clients(WarmableResourcePool[list[str]]):
        async def _warm_resource(self, resource: list[str]) -> None:
            resource.append("overridden")
            await super()._warm_resource(resource)

    async def asyncly(resource: list[str]) -> None:
        resource.append("warm_fn")

    async def main(warm_fn: Any, expected: list[str]) -> None:
        async with Clients(list, warm_fn=warm_fn) as pool:
            assert await pool.acquire() == expected

    run_virtual(main(None, ["overridden"]))
    run_virtual(main(asyncly, ["overridden", "warm_fn"]))
    run_virtual(main(lambda resource: resource.append("warm_fn"), ["overridden", "warm_fn"]))


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.NEVER, Outcome.ESCAPE, Outcome.FALSE])
def test_a_close_that_fails_frees_its_place(provider: ScriptedProvider, outcome: Outcome) -> None:
    async def main() -> None:
        provider.default["close"] = outcome
        pool: WarmableResourcePool[Any] = WarmableResourcePool(
            **provider.hooks("close"), warm_pool_size=1, max_size=1, hook_timeout_sec=2.0
        )
        async with pool:
            await pool.release(await pool.acquire(), broken=True)
            assert await pool.acquire(timeout=5)
            check_invariants(pool)
        counters = pool.snapshot()["counters"]
        assert counters["close_failures"] + counters["abandoned_hooks"] == (0 if outcome is Outcome.FALSE else 2)

    run_virtual(main())


def test_close_methods_are_found() -> None:
    class Both:
        def __init__(self) -> None:
            self.how: list[str] = []

        async def aclose(self) -> None:
            self.how.append("aclose")

        def close(self) -> None:
            self.how.append("close")

    class OnlyClose:
        def __init__(self) -> None:
            self.how: list[str] = []

        def close(self) -> None:
            self.how.append("close")

    async def main(kind: type[Any], expected: list[str]) -> None:
        async with WarmableResourcePool(kind) as pool:
            client = await pool.acquire()
        assert client.how == expected

    run_virtual(main(Both, ["aclose"]))
    run_virtual(main(OnlyClose, ["close"]))


@pytest.mark.parametrize("ends", [True, False])
def test_shutdown_waits_for_a_hook_in_a_thread(ends: bool) -> None:
    """One that belongs to no resource, like the question whether a session lives; if it hangs, it is abandoned."""
    asked, go = threading.Event(), threading.Event()

    def active(_resource: Any) -> bool:
        asked.set()
        return go.wait(20)

    async def main() -> None:
        pool: WarmableResourcePool[Any] = WarmableResourcePool(
            object, active_fn=active, session_max_age_sec=0.01, warmup_interval_sec=0.01, hook_timeout_sec=1.0
        )
        await pool.prepare()
        await pool.acquire_for_session("a")
        while not asked.is_set():
            await asyncio.sleep(0.01)
        ending = asyncio.create_task(pool.shutdown(0))
        await asyncio.sleep(0.05)
        if ends:
            go.set()
        await ending
        check_invariants(pool)
        go.set()

    asyncio.run(main())
