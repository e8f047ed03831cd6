"""Hooks and resources that raise where nobody expects it: each is a failed hook, and nothing else suffers."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest

from warmline import OnDemandResourcePool, WarmableResourcePool
from warmline.errors import CreateFailed, PoolTimeout
from warmline.pool.hooks import is_async
from warmline.testing import HookEscaped, Outcome, ScriptedProvider, check_invariants, run_virtual

if TYPE_CHECKING:
    from collections.abc import Coroutine

pytestmark = pytest.mark.core


def run(main: Coroutine[Any, Any, None]) -> None:
    """On virtual time; what reached the event loop's last resort is a failure."""
    strays: list[Any] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: strays.append(context))
        await main

    run_virtual(watched())
    assert not strays


async def no_parameter() -> None:
    """What a hook must not look like: calling it with a resource raises before there is a coroutine."""


@pytest.mark.parametrize("hook", ["factory", "warm", "validate", "keepalive", "reset", "close", "active"])
def test_a_wrong_signature_is_a_failed_hook(hook: str) -> None:
    async def one_too_many(_what: Any) -> None: ...

    async def main() -> None:
        provider = ScriptedProvider()
        hooks: dict[str, Any] = provider.hooks("close")
        hooks |= {"factory": one_too_many} if hook == "factory" else {f"{hook}_fn": no_parameter}
        pool: WarmableResourcePool[Any] = WarmableResourcePool(
            **hooks,
            warm_pool_size=1,
            keepalive_interval_sec=20.0,
            validate_after_sec=0.0,
            session_max_age_sec=40.0,
        )
        began = asyncio.get_running_loop().time()
        await pool.prepare()
        assert asyncio.get_running_loop().time() < began + 1  # no waiting for a bound to pass
        await asyncio.sleep(25)
        if hook in ("factory", "warm"):
            with pytest.raises((CreateFailed, PoolTimeout)):
                await pool.acquire(timeout=3)
        else:
            resource, _ = await pool.acquire_for_session("a", timeout=3)
            await asyncio.sleep(100)
            assert await pool.release_for_session("a")
            await asyncio.sleep(0.1)
            assert resource.closes == (hook == "reset")
        check_invariants(pool)
        await pool.shutdown(1)
        check_invariants(pool)
        closed = pool.snapshot()["closed"]
        assert (closed["died"] > 0) == (hook == "keepalive")
        assert (closed["invalid"] > 0) == (hook == "validate")
        assert (closed["reset_failed"] > 0) == (hook == "reset")
        assert hook == "close" or not provider.open
        assert (pool.snapshot()["counters"]["close_failures"] > 0) == (hook == "close")

    run(main())


@pytest.mark.parametrize("policy", [lambda _: math.inf, lambda _: math.nan, lambda _: "many", lambda _: [][0]])
def test_a_floor_policy_cannot_stop_the_clock(policy: Any) -> None:
    async def main() -> None:
        provider = ScriptedProvider()
        async with OnDemandResourcePool[Any](**provider.hooks("close"), floor_policy=policy) as pool:
            await asyncio.sleep(31)
            assert pool.snapshot()["warm_pool_target"] == 0
            provider.default["factory"] = Outcome.NEVER
            with pytest.raises(PoolTimeout):
                await pool.acquire(timeout=2)

    run(main())


def test_whatever_raises_in_the_timer_the_deadlines_are_kept() -> None:
    """A bug, or a Ctrl-C, in the middle of the sweep."""

    async def main() -> None:
        strays: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: strays.append(context))
        provider = ScriptedProvider()
        async with OnDemandResourcePool[Any](**provider.hooks("close")) as pool:

            def broken() -> None:
                pool._engine.before_sweep = None
                raise LookupError

            pool._engine.before_sweep = broken
            await asyncio.sleep(31)
            assert isinstance(strays[0]["exception"], LookupError)
            assert len(strays) == 1
            provider.default["factory"] = Outcome.NEVER
            with pytest.raises(PoolTimeout):
                await pool.acquire(timeout=2)
            assert pool.snapshot()["counters"]["sweeps"] == 1

    run_virtual(main())


def test_an_interrupt_while_a_hook_begins_loses_no_action() -> None:
    async def main() -> None:
        provider = ScriptedProvider(alive=None)
        async with WarmableResourcePool[Any](**provider.hooks("close"), warm_pool_size=2) as pool:
            start = pool._engine.work.start

            def interrupted(action: Any) -> None:
                pool._engine.work.start = start  # type: ignore[method-assign]
                start(action)
                raise KeyboardInterrupt

            first, second = provider.made
            pool._state.shelf.clear()
            pool._state.shelf.extend([pool._state.by_resource[id(r)] for r in (first, second)])
            pool._engine.work.start = interrupted  # type: ignore[method-assign]
            with pytest.raises(KeyboardInterrupt):
                pool.invalidate(first)  # its close begins; its replacement is still to begin
            await asyncio.sleep(0.1)
            check_invariants(pool)
            assert first.closes == 1
            assert pool.snapshot()["warm_pool_size"] == 2

    run_virtual(main())


class Hostile:
    """`raising` names the attribute that raises when it is looked at."""

    raising = ""
    error: type[BaseException] = RuntimeError

    def __init__(self) -> None:
        self.closed = 0

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "raising"):
            raise object.__getattribute__(self, "error")(name)
        return object.__getattribute__(self, name)

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("error", [RuntimeError, HookEscaped])
@pytest.mark.parametrize("attribute", ["clear_session_state", "alive", "aclose"])
def test_an_attribute_that_raises_leaks_nothing(attribute: str, error: type[BaseException]) -> None:
    made: list[Hostile] = []

    async def factory() -> Hostile:
        made.append(type("Raising", (Hostile,), {"raising": attribute, "error": error})())
        return made[-1]

    async def main() -> None:
        async with WarmableResourcePool[Hostile](factory, warm_pool_size=1, max_size=1) as pool:
            if attribute == "aclose":
                await pool.release(await pool.acquire(), broken=True)
            else:  # it cannot be told whether it lives, or is clean: it is not lent
                assert pool.snapshot()["counters"]["create_failures"] == 1
            await asyncio.sleep(20)
            check_invariants(pool)
        check_invariants(pool)
        assert len(made) > 1
        assert {resource.closed for resource in made} == {1}

    run(main())


@pytest.mark.parametrize("way", ["release", "lease"])
def test_clear_session_state_that_escapes_closes_the_resource(way: str) -> None:
    class Escaping:
        closed = 0

        def clear_session_state(self) -> None:
            raise HookEscaped

        async def aclose(self) -> None:
            self.closed += 1

    async def main() -> None:
        async with OnDemandResourcePool[Escaping](Escaping, max_size=1) as pool:
            if way == "lease":
                async with pool.lease() as lease:
                    resource = lease.resource
            else:
                resource = await pool.acquire()
                assert await pool.release(resource)
            await asyncio.sleep(0.1)
            assert resource.closed == 1
            assert pool.snapshot()["closed"]["reset_failed"] == 1
            check_invariants(pool)

    run(main())


def test_a_resource_may_say_that_it_died_in_its_own_reset() -> None:
    async def main() -> None:
        class Dying:
            closed = 0

            def clear_session_state(self) -> None:
                pool.invalidate(self)

            async def aclose(self) -> None:
                self.closed += 1

        pool: WarmableResourcePool[Any] = OnDemandResourcePool(Dying)
        async with pool:
            resource = await pool.acquire()
            await pool.release(resource)
            await asyncio.sleep(0.1)
            assert resource.closed == 1
            assert pool.snapshot()["closed"]["died"] == 1
            check_invariants(pool)

    run(main())


def test_preferences_that_escape_are_none() -> None:
    def prefer(_resource: Any) -> float:
        raise HookEscaped

    async def main() -> None:
        provider = ScriptedProvider()
        async with WarmableResourcePool[Any](**provider.hooks("close"), warm_pool_size=2, prefer_fn=prefer) as pool:
            assert await pool.acquire() is provider.made[0]

    run(main())


def test_a_class_whose_instances_are_awaited_when_called_is_a_factory() -> None:
    class Engine:
        async def __call__(self) -> None: ...

    async def main() -> None:
        async with WarmableResourcePool[Engine](Engine, warm_pool_size=1) as pool:
            assert isinstance(await pool.acquire(timeout=5), Engine)

    assert not is_async(Engine)
    assert is_async(Engine())
    run(main())


def test_no_pause_asked_for_is_still_a_pause() -> None:
    """A provider that fails at once, with retry_min_sec=0 or both 0, does not keep the loop busy."""

    async def main(**retries: float) -> int:
        provider = ScriptedProvider()
        provider.down = True
        async with WarmableResourcePool[Any](**provider.hooks(), **retries) as pool:  # type: ignore[arg-type]
            await asyncio.sleep(1)
            check_invariants(pool)
        return provider.count("factory")

    assert 3 < run_virtual(main(retry_min_sec=0.0)) < 20
    assert 3 < run_virtual(main(retry_min_sec=0.0, retry_max_sec=0.0)) <= 101
