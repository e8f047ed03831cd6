"""A machine that slept, a wall clock that was set, a loop that stood still."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from tests.credentials.issuer import Issuer, Load, keep
from warmline.credentials import TokenKeeper
from warmline.testing import VirtualTimeLoop, run_virtual

pytestmark = pytest.mark.core


def test_a_machine_that_slept_past_the_end_serves_nothing_old() -> None:
    async def main() -> None:
        issuer = Issuer(600.0)
        async with keep(issuer) as keeper:
            old = await keeper.token()
            issuer.slept_sec = 8 * 3600.0
            fresh = await keeper.token()
            assert fresh.value != old.value
            assert issuer.accepts(fresh.value)
            assert keeper.snapshot()["counters"]["slept"] == 1

    run_virtual(main())


def test_a_machine_that_slept_is_awake_before_the_first_request() -> None:
    async def main() -> None:
        issuer = Issuer(600.0)
        async with keep(issuer) as keeper:
            await keeper.refresh()
            for _ in range(5):
                issuer.slept_sec += 500.0
                await asyncio.sleep(6)  # nobody asks; within its next look it has noticed
                load = Load(keeper, issuer)
                await load.until(asyncio.get_running_loop().time() + 60.0)
                load.assert_nobody_noticed()

    run_virtual(main())


def test_a_wall_clock_set_back_lengthens_nothing() -> None:
    async def main() -> None:
        issuer = Issuer(600.0)
        back_sec = [0.0]
        loop = cast("VirtualTimeLoop", asyncio.get_running_loop())
        async with TokenKeeper(issuer, clock=loop.clock, wall=lambda: issuer.wall() - back_sec[0]) as keeper:
            await keeper.refresh()
            back_sec[0] = 7200.0
            load = Load(keeper, issuer)
            await load.until(3000.0)
            load.assert_nobody_noticed()

    run_virtual(main())


def test_a_loop_that_stood_still_past_the_end() -> None:
    async def main() -> None:
        issuer = Issuer(600.0)
        async with keep(issuer) as keeper:
            await keeper.token()
            cast("VirtualTimeLoop", asyncio.get_running_loop()).advance(700.0)
            assert issuer.accepts((await keeper.token()).value)

    run_virtual(main())


def test_a_wall_clock_set_back_and_forth_is_no_sleep() -> None:
    async def main() -> None:
        loop, set_by_sec = cast("VirtualTimeLoop", asyncio.get_running_loop()), 0.0
        issuer = Issuer(600.0)
        async with TokenKeeper(issuer, clock=loop.clock, wall=lambda: issuer.wall() + set_by_sec) as keeper:
            first = await keeper.token()
            set_by_sec = -3600.0
            await asyncio.sleep(6)
            set_by_sec = 0.0
            assert keeper.current() == first
            await asyncio.sleep(6)
            assert keeper.snapshot()["counters"]["slept"] == 0
            await asyncio.sleep(1)
            assert keeper.current().epoch == first.epoch + 1, "it may have been a sleep after all: one fetch tells"
            set_by_sec = 3600.0
            await asyncio.sleep(6)
            assert keeper.snapshot()["counters"]["slept"] == 1

    run_virtual(main())
