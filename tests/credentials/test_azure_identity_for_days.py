"""The real azure-identity, with its own cache and its own idea of when to renew, for days of virtual time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.credentials.azure_credentials import app_service, client_secret, instance_metadata, on_this_machine
from tests.credentials.issuer import UNIX_SEC, Load
from warmline.credentials import AzureIdentity, TokenKeeper
from warmline.testing import VirtualTimeLoop, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.credentials.endpoint import TokenEndpoint

HOUR_SEC = 3600


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    on_this_machine(monkeypatch)


class Days:
    """A keeper on virtual time; the wall clock that azure-identity reads follows it, but for `slept_sec`."""

    def __init__(self, endpoint: TokenEndpoint, make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.endpoint, self.make = endpoint, make
        self.loop = cast("VirtualTimeLoop", asyncio.get_running_loop())
        self.slept_sec = 0.0
        monkeypatch.setattr(time, "time", self.wall)
        self.keeper = TokenKeeper(AzureIdentity(make), name="llm", clock=self.loop.clock, wall=self.wall)

    def wall(self) -> float:
        return UNIX_SEC + self.loop.time() + self.slept_sec

    def outage(self, start_sec: float, end_sec: float) -> None:
        """The endpoint answers 503 from one virtual second to another."""
        self.loop.call_at(start_sec, setattr, self.endpoint, "fault", 503)
        self.loop.call_at(end_sec, setattr, self.endpoint, "fault", None)

    async def under_load(self, until_sec: float, *, every_sec: float = 30.0) -> Load:
        await self.keeper.refresh()
        load = Load(self.keeper, self.endpoint)
        await load.until(until_sec, every_sec=every_sec)
        waited = self.keeper.snapshot()["counters"]["waited"]
        assert (load.refused, load.failed, waited, self.endpoint.most_in_flight) == (0, 0, 0, 1)
        return load


@pytest.mark.parametrize(("lifetime_hours", "refreshes"), [(1, 11), (4, 20)])
def test_ten_lifetimes(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, lifetime_hours: int, refreshes: int
) -> None:
    """From two hours on msal renews at half of the lifetime, below in the last five minutes."""
    endpoint.lifetime_sec = lifetime_hours * HOUR_SEC

    async def main() -> None:
        days = Days(endpoint, app_service(endpoint, monkeypatch), monkeypatch)
        async with days.keeper:
            await days.under_load(10 * endpoint.lifetime_sec, every_sec=60.0 * lifetime_hours)
            assert refreshes <= len(endpoint.asked) <= refreshes + 1

    run_virtual(main())


@pytest.mark.parametrize("early_sec", [15, 600])
def test_an_outage_from_when_it_would_renew_to_just_before_the_end(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, early_sec: int
) -> None:
    """msal renews a managed identity's token at half of its life, from two hours on."""
    endpoint.lifetime_sec = 2 * HOUR_SEC

    async def main() -> None:
        days = Days(endpoint, instance_metadata(endpoint, monkeypatch), monkeypatch)
        async with days.keeper:
            days.outage(HOUR_SEC, 2 * HOUR_SEC - early_sec)
            await days.under_load(2.2 * HOUR_SEC, every_sec=5.0)
            assert len(endpoint.asked) > 100  # refused ones
            assert len(endpoint.ends) == 2
            assert days.keeper.gate.ready

    run_virtual(main())


@pytest.mark.parametrize("phase", [0.05, 0.5])
def test_an_outage_of_45_percent_of_a_lifetime_at_any_phase(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, phase: float
) -> None:
    """For tokens that are renewed at half of their life, as all of two hours and more are."""
    endpoint.lifetime_sec = 2 * HOUR_SEC

    async def main() -> None:
        days = Days(endpoint, app_service(endpoint, monkeypatch), monkeypatch)
        async with days.keeper:
            start = (1 + phase) * endpoint.lifetime_sec
            days.outage(start, start + 0.45 * endpoint.lifetime_sec)
            await days.under_load((1.6 + phase) * endpoint.lifetime_sec, every_sec=60.0)

    run_virtual(main())


def test_client_secret_with_entra_down_while_it_would_renew(
    entra: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra.lifetime_sec, entra.refresh_in_sec = HOUR_SEC, 1800

    async def main() -> None:
        days = Days(entra, client_secret(entra), monkeypatch)
        async with days.keeper:
            days.outage(1800, HOUR_SEC - 60)
            await days.under_load(1.2 * HOUR_SEC)

    run_virtual(main())


def test_a_silent_source_that_is_overdue_is_trouble(endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity keeps to itself that it failed to renew, while the old token lasts."""
    endpoint.lifetime_sec = 2 * HOUR_SEC

    async def main() -> None:
        days = Days(endpoint, instance_metadata(endpoint, monkeypatch), monkeypatch)
        async with days.keeper:
            days.outage(HOUR_SEC, 6000)
            await days.under_load(5400)
            gate = days.keeper.gate
            assert gate.ready
            assert gate.trouble == "llm: its source gives no other token, though one is due"
            await asyncio.sleep(700)
            assert days.keeper.gate.trouble is None

    run_virtual(main())


def test_a_machine_that_slept_for_a_night(endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint.lifetime_sec = HOUR_SEC

    async def main() -> None:
        days = Days(endpoint, app_service(endpoint, monkeypatch), monkeypatch)
        async with days.keeper:
            await days.keeper.token()
            days.slept_sec = 8.0 * HOUR_SEC
            assert endpoint.accepts((await days.keeper.token()).value)

    run_virtual(main())


@pytest.mark.parametrize("skew_sec", [-180, 180])
def test_an_issuer_whose_clock_is_off(endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, skew_sec: int) -> None:
    """By less than the five minutes before what it takes for the end, in which azure-identity renews."""
    endpoint.lifetime_sec, endpoint.skew_sec = HOUR_SEC, skew_sec

    async def main() -> None:
        days = Days(endpoint, app_service(endpoint, monkeypatch), monkeypatch)
        async with days.keeper:
            await days.under_load(3 * HOUR_SEC)

    run_virtual(main())


def test_a_wall_clock_set_back_does_not_revive_what_is_dead(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """azure-identity's cache believes the wall clock; the keeper does not, and has it start afresh."""
    endpoint.lifetime_sec = HOUR_SEC

    async def main() -> None:
        days = Days(endpoint, app_service(endpoint, monkeypatch), monkeypatch)
        async with days.keeper:
            old = await days.keeper.token()
            days.slept_sec = -10.0 * HOUR_SEC
            await asyncio.sleep(1.5 * HOUR_SEC)
            assert days.keeper.current().value != old.value

    run_virtual(main())
