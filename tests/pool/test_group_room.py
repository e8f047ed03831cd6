"""A full group: who gives up a spare for whom."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.pool.voices import Voice, Voices
from warmline import AllocationTier, PoolGroup
from warmline.errors import PoolError
from warmline.testing import check_invariants, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.core


def floors(voices: Voices, **floor: int) -> Callable[[str], dict[str, Any]]:
    """Knobs with a floor for each profile; 0 for the others."""
    return lambda profile: voices.knobs(profile) | {"warm_pool_size": floor.get(profile, 0)}


def spares(group: PoolGroup[str, Voice], profile: str) -> int:
    return group.snapshot()[profile]["warm_pool_size"]


def test_every_caller_of_a_full_group_finds_room_beside_idle_spares() -> None:
    """The second asks while the first one's creation runs, the third when all is lent but a spare to come."""

    async def main() -> None:
        voices = Voices()
        async with PoolGroup[str, Voice](floors(voices, a=3), max_size=4) as group:
            a = await group.pool("a")
            assert await a.wait_warm()
            held = await a.acquire()  # and one more is made: the group is full
            await asyncio.sleep(1)
            asked = [asyncio.create_task((await group.pool("b")).acquire(timeout=20)) for _ in range(4)]
            await asyncio.sleep(5)
            for profile in group.profiles:
                check_invariants(await group.pool(profile))
            assert [task.done() for task in asked] == [True, True, True, False]
            await a.release(held)  # onto the shelf of another profile
            assert {(await task).profile for task in asked} == {"b"}
            assert len(voices.open) == 4

    run_virtual(main())


def test_a_spare_that_comes_back_from_a_keepalive_makes_room() -> None:
    async def main() -> None:
        voices = Voices()

        async def keep_alive(_: Voice) -> None:
            await asyncio.sleep(3)

        def knobs(profile: str) -> dict[str, Any]:
            return floors(voices, a=1)(profile) | {"keepalive_fn": keep_alive, "keepalive_interval_sec": 1e4}

        async with PoolGroup[str, Voice](knobs, max_size=1) as group:
            a = await group.pool("a")
            assert await a.wait_warm()
            a.reverify()
            await asyncio.sleep(0.1)
            b = await group.pool("b")
            assert (await b.acquire(timeout=20)).profile == "b"

    run_virtual(main())


def test_only_a_caller_who_waits_takes_a_spare_from_another_profile() -> None:
    async def main() -> None:
        voices = Voices()
        async with PoolGroup[str, Voice](floors(voices, a=3), max_size=4) as group:
            assert await (await group.pool("a")).wait_warm()
            for _ in range(4):
                _, tier = await (await group.pool("b")).acquire_for_session("s")
                await asyncio.sleep(5)
            assert tier is AllocationTier.DEDICATED
            assert spares(group, "a") == 3

    run_virtual(main())


def test_what_was_given_up_in_vain_comes_back() -> None:
    """The provider of another profile is down: its callers get nothing, and the floor stands again."""

    async def main() -> None:
        voices = Voices()

        async def broken() -> Voice:
            await asyncio.sleep(0.1)
            raise OSError

        def knobs(profile: str) -> dict[str, Any]:
            return floors(voices, a=4)(profile) | ({"factory": broken} if profile == "down" else {})

        async with PoolGroup[str, Voice](knobs, max_size=4) as group:
            assert await (await group.pool("a")).wait_warm()
            for _ in range(8):
                with pytest.raises(PoolError):
                    await (await group.pool("down")).acquire(timeout=1)
                await asyncio.sleep(0.2)
                assert spares(group, "a") >= 3
            await asyncio.sleep(25)
            assert spares(group, "a") == 4

    run_virtual(main())
