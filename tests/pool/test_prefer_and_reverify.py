"""Which spare goes first, and keepalives on demand."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from warmline import WarmableResourcePool
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


class Sized:
    """A resource with an opinion of its own, and a pulse."""

    made = 0

    def __init__(self) -> None:
        Sized.made += 1
        self.number = Sized.made
        self.worth: float = 0.0
        self.alive = True


def sized_pool(**knobs: Any) -> WarmableResourcePool[Sized]:
    async def make() -> Sized:
        return Sized()

    return WarmableResourcePool(make, warm_pool_size=3, prefer_fn=lambda it: it.worth, **knobs)


def spares(pool: WarmableResourcePool[Sized]) -> list[Sized]:
    return [entry.resource for entry in pool._state.shelf]


def test_the_greatest_goes_first_and_the_longest_idle_among_equals() -> None:
    async def main() -> None:
        async with sized_pool() as pool:
            one, two, three = spares(pool)
            two.worth = 5.0
            async with pool.lease() as first, pool.lease() as second:
                assert (first.resource, second.resource) == (two, one)
                check_invariants(pool)
            three.worth = 9.0
            async with pool.lease() as lease:
                assert lease.resource is three

    run_virtual(main())


def test_a_dead_favourite_is_not_handed_out() -> None:
    async def main() -> None:
        async with sized_pool() as pool:
            one, two, _ = spares(pool)
            two.worth, two.alive = 5.0, False
            async with pool.lease() as lease:
                assert lease.resource is one
            assert pool.snapshot()["closed"]["died"] == 1
            check_invariants(pool)

    run_virtual(main())


def test_a_preference_that_fails_is_none() -> None:
    async def main() -> None:
        async with sized_pool() as pool:
            one, two, _ = spares(pool)
            one.worth = "no number"  # type: ignore[assignment]  # that is the point
            two.worth = 1.0
            async with pool.lease() as lease:
                assert lease.resource is two

    run_virtual(main())


@pytest.mark.parametrize(("floor", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (7, 3)])
def test_reverify_keeps_alive_what_is_older_and_at_most_half_at_a_time(
    open_pool: Any, provider: ScriptedProvider, floor: int, most: int
) -> None:
    async def main() -> None:
        knobs: dict[str, Any] = {"keepalive_interval_sec": 1000.0, "warm_pool_size": floor}
        async with open_pool(provider, "keepalive", **knobs) as pool:
            provider.default["keepalive"] = Outcome.SLOW
            pool.reverify(older_than_sec=60.0)
            await asyncio.sleep(5.0)
            assert pool.snapshot()["counters"]["keepalives"] == 0
            pool.reverify()
            away = Counter[int]()
            for _ in range(400):
                away[len(pool._state.in_flight)] += 1
                await asyncio.sleep(0.1)
                check_invariants(pool)
            assert pool.snapshot()["counters"]["keepalives"] == floor
            assert max(away) == most

    run_virtual(main())
