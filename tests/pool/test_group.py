"""Many profiles under one maximum and one budget."""

from __future__ import annotations

import asyncio

import pytest

from tests.pool.voices import Voice, Voices
from warmline import AllocationTier, PoolGroup
from warmline.errors import ConfigError, PoolClosed
from warmline.testing import check_invariants, run_virtual

pytestmark = pytest.mark.core


def test_a_request_never_gets_another_profiles_resource() -> None:
    async def main() -> None:
        voices = Voices()
        async with PoolGroup[str, Voice](voices.knobs, max_size=20) as group:
            for session in range(12):
                profile = f"voice-{session % 3}"
                async with await group.lease(profile, f"s{session}") as lease:
                    assert lease.resource.profile == profile
                await asyncio.sleep(0.2)
            for profile in group.profiles:
                check_invariants(await group.pool(profile))
        assert not voices.open

    run_virtual(main())


def test_one_maximum_for_all_and_spares_make_room() -> None:
    async def main() -> None:
        voices = Voices()
        async with PoolGroup[str, Voice](voices.knobs, max_size=4) as group:
            for profile in ("a", "b", "c", "d"):
                await (await group.pool(profile)).wait_warm()
            assert len(voices.open) == 4
            pool = await group.pool("e")
            resource, tier = await pool.acquire_for_session("s", timeout=5)
            assert (resource.profile, tier) == ("e", AllocationTier.COLD)
            assert len(voices.open) <= 4
            assert voices.made[0].closed == 1  # the least recently used profile's
            for profile in group.profiles:
                check_invariants(group._members[profile].pool)
        assert all(voice.closed == 1 for voice in voices.made)

    run_virtual(main())


def test_a_place_that_becomes_free_goes_to_whoever_waits() -> None:
    async def main() -> None:
        voices = Voices()
        async with PoolGroup[str, Voice](voices.knobs, max_size=2) as group:
            a, b = await group.pool("a"), await group.pool("b")
            first, second = await a.acquire(), await b.acquire()
            waiting = asyncio.create_task(b.acquire(timeout=20))
            await asyncio.sleep(1)
            await a.release(first, broken=True)
            assert (await waiting).profile == "b"
            await b.release(second)

    run_virtual(main())


def test_one_budget_for_all() -> None:
    async def main() -> None:
        voices = Voices()
        async with PoolGroup[str, Voice](voices.knobs, max_size=50, creates_per_minute=5) as group:
            for number in range(8):
                await group.pool(f"voice-{number}")
            await asyncio.sleep(300)
        starts = voices.starts
        assert len(starts) == 8
        assert all(later - sooner >= 60 for sooner, later in zip(starts, starts[5:], strict=False))

    run_virtual(main())


def test_a_forgotten_profile_shrinks_away_and_comes_back() -> None:
    async def main() -> None:
        voices = Voices()
        async with PoolGroup[str, Voice](voices.knobs, max_size=9, forget_after_sec=60.0) as group:
            await (await group.pool("rare")).wait_warm()
            for _ in range(12):
                await asyncio.sleep(10)
                await group.pool("often")
            assert [voice.profile for voice in voices.open] == ["often"]
            await group.pool("new")
            assert group.profiles == ("often", "new")
            assert await (await group.pool("rare")).wait_warm()
            assert set(group.snapshot()) == {"often", "new", "rare"}

    run_virtual(main())


def test_what_belongs_to_the_group_is_not_a_profiles() -> None:
    async def main() -> None:
        with pytest.raises(ConfigError):
            PoolGroup[str, Voice](Voices().knobs, max_size=0)
        group = PoolGroup[str, Voice](lambda p: Voices().knobs(p) | {"creates_per_minute": 3}, max_size=3)
        with pytest.raises(ConfigError):
            await group.pool("a")
        assert group.profiles == ()
        with pytest.raises(ConfigError):
            PoolGroup[str, Voice](Voices().knobs, max_size=3, forget_after_sec=0)

    run_virtual(main())


def test_a_profile_without_spares_is_not_forgotten_while_somebody_waits() -> None:
    async def main() -> None:
        voices = Voices()
        knobs = lambda profile: voices.knobs(profile) | {"warm_pool_size": 0}  # noqa: E731
        async with PoolGroup[str, Voice](knobs, max_size=1) as group:
            held = await (await group.pool("a")).acquire()
            waiting = asyncio.create_task((await group.pool("b")).acquire(timeout=30))
            await asyncio.sleep(1)
            await group.pool("c")
            await (await group.pool("a")).release(held, broken=True)
            assert (await waiting).profile == "b"
            await (await group.pool("b")).release(await waiting)

    run_virtual(main())


def test_profiles_are_forgotten_while_others_are_asked_for() -> None:
    """Nobody loses a pool, or its way to one, to somebody else's request."""

    async def main() -> None:
        voices = Voices()
        async with PoolGroup[str, Voice](voices.knobs, max_size=10, forget_after_sec=60.0) as group:
            for profile in "xyz":
                await group.pool(profile)
            await asyncio.sleep(600)
            pools = await asyncio.gather(*(group.pool(profile) for profile in ("n", "y", "m", "x", "y")))
            assert pools[1] is pools[4]
            assert group.profiles == ("n", "m", "x", "y")
            for pool in pools:
                await pool.release(await pool.acquire())
        assert not asyncio.all_tasks() - {asyncio.current_task()}
        assert not voices.open

    run_virtual(main())


def test_a_group_keeps_nothing_of_a_forgotten_profile() -> None:
    async def main() -> None:
        async with PoolGroup[str, Voice](
            lambda profile: Voices().knobs(profile) | {"warm_pool_size": 0}, max_size=10, forget_after_sec=10.0
        ) as group:
            for number in range(50):
                async with await group.lease(f"voice-{number}"):
                    pass
                await asyncio.sleep(100)
            assert len(group.profiles) == 1
            kept = [part for part in vars(group).values() if isinstance(part, dict | set)]
            assert kept
            assert max(map(len, kept)) == 1

    run_virtual(main())


def test_after_shutdown_there_is_nothing_to_have() -> None:
    async def main() -> None:
        voices = Voices()
        group = PoolGroup[str, Voice](voices.knobs, max_size=5)
        a = await group.pool("a")
        held = await a.acquire()
        ending = asyncio.create_task(group.shutdown(10))
        await asyncio.sleep(0)
        for profile in "ab":
            with pytest.raises(PoolClosed) as refused:
                await group.lease(profile, "s")
        assert refused.value.leased == 1
        await asyncio.sleep(1)
        ending.cancel()  # which does not stop it
        await asyncio.wait([ending])
        await a.release(held)
        await group.shutdown(0)
        assert not voices.open
        assert not asyncio.all_tasks() - {asyncio.current_task()}
        with pytest.raises(PoolClosed):
            await group.pool("b")

    run_virtual(main())
