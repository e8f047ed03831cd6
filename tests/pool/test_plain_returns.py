"""The common return: a resource that says nothing of itself, in a pool without reset, validation or limits of age.

It goes straight on, without the questions that other returns are asked; what they would find must hold all the same.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider(latency_sec=0.5, alive=None)


def test_it_goes_to_whoever_has_waited_longest(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, max_size=1) as pool:
            resource = await pool.acquire()
            waiting = [asyncio.create_task(pool.acquire_for_session(f"{number}")) for number in range(3)]
            await asyncio.sleep(1)
            for caller in waiting:
                assert await pool.release(resource)
                check_invariants(pool)
                assert (await caller)[0] is resource
            assert provider.count("factory") == 1

    run_virtual(main())


def test_one_spare_too_many_closes(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, max_spares=1) as pool:
            for resource in [await pool.acquire(), await pool.acquire()]:
                assert await pool.release(resource)
                check_invariants(pool)
            await asyncio.sleep(0)
            assert [resource.closes for resource in provider.made] == [0, 1]
            assert pool.snapshot()["closed"]["surplus"] == 1

    run_virtual(main())


def test_it_closes_after_the_maximum_was_lowered(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0, max_spares=9) as pool:
            held = [await pool.acquire() for _ in range(3)]
            await pool.resize(max_size=2)
            for resource in held:
                assert await pool.release(resource)
                await asyncio.sleep(0.1)
                check_invariants(pool)
            assert [resource.closes for resource in held] == [1, 0, 0]

    run_virtual(main())


def test_it_waits_on_the_shelf_while_the_pool_is_suspended(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, max_size=1) as pool:
            resource = await pool.acquire()
            caller = asyncio.create_task(pool.acquire())
            await asyncio.sleep(1)
            pool.suspend()
            assert await pool.release(resource)
            await asyncio.sleep(1)
            check_invariants(pool)
            assert not caller.done()
            pool.resume()
            assert await caller is resource

    run_virtual(main())


def test_it_may_be_the_replacement_that_a_retiring_spare_waits_for(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, create_timeout_sec=60.0) as pool:
            provider.script("factory", [Outcome.OK, Outcome.NEVER])
            await pool.rotate()
            await asyncio.sleep(1)
            assert [resource.closes for resource in provider.made] == [1, 0, 0]
            resource = await pool.acquire()
            assert resource is provider.made[2]  # the fresh one
            pool._state.set_floor(1)  # and now one spare is enough
            assert await pool.release(resource)
            await asyncio.sleep(0)
            check_invariants(pool)
            assert [resource.closes for resource in provider.made] == [1, 1, 0]
            assert pool.snapshot()["counters"]["make_before_break"] == 2

    run_virtual(main())
