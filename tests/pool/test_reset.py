"""What happens to a resource between two uses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline import OnDemandResourcePool
from warmline.testing import Outcome, ScriptedProvider, run_virtual

pytestmark = pytest.mark.core


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.FALSE, Outcome.NEVER, Outcome.ESCAPE, Outcome.DEAF])
def test_a_reset_that_fails_closes(open_pool: Any, provider: ScriptedProvider, outcome: Outcome) -> None:
    async def main() -> None:
        async with open_pool(provider, "reset", hook_timeout_sec=2.0, warm_pool_size=0) as pool:
            provider.script("reset", [outcome])
            resource = await pool.acquire()
            await pool.release(resource)
            await asyncio.sleep(10)
            assert resource.closes == 1
            assert pool.snapshot()["closed"]["reset_failed"] == 1
            assert pool.snapshot()["counters"]["recycled"] == 0

    run_virtual(main())


class Clearable:
    """Has clear_session_state(), as the seeds' clients have."""

    def __init__(self, outcome: Any = None) -> None:
        self.outcome = outcome
        self.cleared = 0
        self.closed = 0

    def clear_session_state(self) -> Any:
        self.cleared += 1
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    async def aclose(self) -> None:
        self.closed += 1


class SlowlyClearable(Clearable):
    async def clear_session_state(self) -> Any:
        await asyncio.sleep(0.1)
        return super().clear_session_state()


@pytest.mark.parametrize("kind", [Clearable, SlowlyClearable])
@pytest.mark.parametrize(("outcome", "recycled"), [(None, True), (True, True), (False, False), (OSError(), False)])
def test_clear_session_state_is_the_reset(kind: type[Clearable], outcome: Any, recycled: bool) -> None:
    async def main() -> None:
        made: list[Clearable] = []

        async def factory() -> Clearable:
            made.append(kind(outcome))
            return made[-1]

        async with OnDemandResourcePool[Clearable](factory, "tts") as pool:
            await pool.acquire_for_session("a")
            assert await pool.release_for_session("a")
            await asyncio.sleep(1)
            assert made[0].cleared == 1
            assert made[0].closed == (not recycled)
            assert pool.snapshot()["warm_pool_size"] == recycled

    run_virtual(main())


def test_a_surplus_that_shows_only_after_the_reset(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "reset", warm_pool_size=0, max_spares=1) as pool:
            provider.default["reset"] = Outcome.SLOW
            held = [await pool.acquire(), await pool.acquire()]
            for resource in held:
                assert await pool.release(resource)
            await asyncio.sleep(5)
            assert pool.snapshot()["closed"]["surplus"] == 1
            assert pool.snapshot()["warm_pool_size"] == 1

    run_virtual(main())
