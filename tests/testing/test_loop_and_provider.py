"""The test kit itself: time that jumps, and a provider that keeps to its script."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from warmline.testing import HookEscaped, HookFailed, Outcome, ScriptedProvider, VirtualTimeLoop, run_virtual

pytestmark = pytest.mark.core


def test_time_jumps_to_the_next_timer_in_order() -> None:
    seen: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((name, asyncio.get_running_loop().time()))

    async def main() -> None:
        await asyncio.gather(wait("day", 86_400), wait("hour", 3600), wait("now", 0))

    run_virtual(main())
    assert seen == [("now", 0.0), ("hour", 3600.0), ("day", 86_400.0)]


def test_waiting_for_what_can_never_happen_is_an_error() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="never happen"):
        run_virtual(main())


def test_time_stands_still_while_a_thread_runs() -> None:
    async def main() -> float:
        asyncio.get_running_loop().call_later(1000, lambda: None)
        await asyncio.to_thread(time.sleep, 0.05)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) < 1.0


def test_jitter_is_the_same_for_the_same_seed() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        return [loop.clock.jitter(1.0, 2.0) for _ in range(5)]

    assert run_virtual(main(), seed=7) == run_virtual(main(), seed=7)
    assert run_virtual(main(), seed=7) != run_virtual(main(), seed=8)


def test_a_script_is_followed_then_the_default() -> None:
    async def main() -> None:
        provider = ScriptedProvider(slow_sec=3.0)
        provider.script("warm", [Outcome.OK, Outcome.FALSE, Outcome.SLOW])
        provider.default["warm"] = Outcome.ERROR
        hooks: Any = provider.hooks("warm", "close")
        resource = await hooks["factory"]()
        assert [await hooks["warm_fn"](resource) for _ in range(3)] == [True, False, True]
        assert asyncio.get_running_loop().time() == 3.0
        with pytest.raises(HookFailed):
            await hooks["warm_fn"](resource)
        provider.script("warm", [Outcome.ESCAPE, Outcome.NEVER, Outcome.DEAF])
        with pytest.raises(HookEscaped):
            await hooks["warm_fn"](resource)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(100):
                await hooks["warm_fn"](resource)
        deaf = asyncio.ensure_future(hooks["warm_fn"](resource))
        await asyncio.sleep(1)
        deaf.cancel()
        assert await deaf
        await hooks["close_fn"](resource)
        await hooks["close_fn"](resource)
        assert provider.closed_twice == [resource]
        assert provider.open == []
        provider.down = True
        with pytest.raises(HookFailed):
            await hooks["factory"]()

    run_virtual(main())


def test_in_a_thread_never_ends_badly_and_latency_is_real() -> None:
    provider = ScriptedProvider(sync=True, latency_sec=0.02, slow_sec=0.01)
    provider.script("factory", [Outcome.NEVER])
    hooks = provider.hooks("warm")
    with pytest.raises(HookFailed):
        hooks["factory"]()
    began = time.monotonic()
    resource = hooks["factory"]()
    assert time.monotonic() - began >= 0.02  # slept through: more on a busy machine, never less
    provider.script("warm", [Outcome.NEVER])
    with pytest.raises(HookFailed):
        hooks["warm_fn"](resource)
    assert provider.made == [resource]
