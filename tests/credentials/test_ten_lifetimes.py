"""Hours of load on virtual time: no 401, nobody waits, one fetch at a time."""

from __future__ import annotations

import asyncio

import pytest

from tests.credentials.issuer import Down, Issuer, Load, keep
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


@pytest.mark.parametrize("lifetime_sec", [30.0, 600.0, 3600.0])
def test_ten_lifetimes_under_load(lifetime_sec: float) -> None:
    async def main() -> None:
        issuer = Issuer(lifetime_sec)
        async with keep(issuer) as keeper:
            await keeper.refresh()
            load = Load(keeper, issuer)
            await load.until(10 * lifetime_sec, every_sec=lifetime_sec / 300)
            load.assert_nobody_noticed()
            assert load.requests > 2500
            assert 18 <= issuer.fetches <= 24

    run_virtual(main())


@pytest.mark.parametrize("how", ["error", "hang"])
@pytest.mark.parametrize("phase", [each / 10 for each in range(10)])
@pytest.mark.parametrize("lifetime_sec", [600.0, 3600.0])
def test_an_outage_of_45_percent_of_a_lifetime_at_any_phase(lifetime_sec: float, phase: float, how: Down) -> None:
    async def main() -> None:
        start = (1 + phase) * lifetime_sec
        issuer = Issuer(lifetime_sec, outages=[(start, start + 0.45 * lifetime_sec, how)])
        async with keep(issuer) as keeper:
            await keeper.refresh()
            load = Load(keeper, issuer)
            await load.until(2.6 * lifetime_sec, every_sec=lifetime_sec / 100)
            load.assert_nobody_noticed()

    run_virtual(main())


@pytest.mark.parametrize("how", ["error", "hang"])
@pytest.mark.parametrize("seed", range(4))
def test_the_worst_moment_for_an_outage(seed: int, how: Down) -> None:
    """It begins just as a refresh is due, wherever jitter has put that."""

    async def main() -> None:
        issuer = Issuer(600.0)
        async with keep(issuer) as keeper:
            await keeper.refresh()
            await asyncio.sleep(1)
            due_sec = issuer.true_time() + keeper.snapshot()["next_fetch_in_sec"]
            issuer.outages.append((due_sec, due_sec + 270.0, how))
            load = Load(keeper, issuer)
            await load.until(800.0)
            load.assert_nobody_noticed()

    run_virtual(main(), seed=seed)


def test_an_outage_longer_than_the_token_makes_callers_wait_and_heals_by_itself() -> None:
    """The other tests would notice: this one is beyond what can be hidden."""

    async def main() -> None:
        issuer = Issuer(600.0, outages=[(200.0, 1000.0, "error")])
        async with keep(issuer, wait_timeout_sec=5.0) as keeper:
            await keeper.refresh()
            load = Load(keeper, issuer, travel_sec=4.0)
            await load.until(1600.0)
            assert load.refused == 0
            assert load.failed > 0
            assert keeper.snapshot()["counters"]["waited"] > 0
            assert keeper.gate.ready
            recovered_at = min(ends for ends in issuer.ends.values() if ends > 1600.0) - 600.0
            assert 1000.0 <= recovered_at < 1006.0

    run_virtual(main())


@pytest.mark.parametrize("skew_sec", [-240.0, 240.0])
def test_the_clock_of_an_issuer_that_states_the_end_may_be_minutes_off(skew_sec: float) -> None:
    async def main() -> None:
        issuer = Issuer(3600.0, states_expiry=True, skew_sec=skew_sec)
        async with keep(issuer) as keeper:
            await keeper.refresh()
            load = Load(keeper, issuer)
            await load.until(18_000.0, every_sec=20.0)
            load.assert_nobody_noticed()

    run_virtual(main())


def test_a_clock_so_far_ahead_that_tokens_look_dead_on_arrival() -> None:
    async def main() -> None:
        issuer = Issuer(3600.0, states_expiry=True, skew_sec=-7200.0)
        async with keep(issuer) as keeper:
            await keeper.refresh()
            load = Load(keeper, issuer)
            await load.until(7200.0, every_sec=10.0)
            load.assert_nobody_noticed()
            assert issuer.fetches < 7200 / 20

    run_virtual(main())


def test_a_slow_issuer_is_waited_for_by_nobody() -> None:
    async def main() -> None:
        issuer = Issuer(600.0, latency_sec=9.0)
        async with keep(issuer) as keeper:
            await keeper.refresh()
            load = Load(keeper, issuer)
            await load.until(3000.0)
            load.assert_nobody_noticed()

    run_virtual(main())


def test_a_fleet_does_not_ask_in_step() -> None:
    async def main() -> None:
        issuers = [Issuer(600.0) for _ in range(20)]
        async with asyncio.TaskGroup() as tasks:
            keepers = [keep(issuer) for issuer in issuers]
            for keeper in keepers:
                tasks.create_task(keeper.start())
        await asyncio.sleep(1)
        due = sorted(keeper.snapshot()["next_fetch_in_sec"] for keeper in keepers)
        assert 260 < due[0] < due[-1] < 300
        assert due[-1] - due[0] > 10
        for keeper in keepers:
            await keeper.aclose()

    run_virtual(main())
