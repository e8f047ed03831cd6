"""What a keeper promises to those who ask: from any loop or thread, with cancellations, hung fetches and sleep."""

from __future__ import annotations

import asyncio

import pytest

from tests.credentials.issuer import Down, Issuer, keep
from warmline.credentials import RefreshPolicy
from warmline.errors import (
    CredentialClosed,
    CredentialError,
    CredentialExpired,
    CredentialRefused,
    CredentialUnreachable,
)
from warmline.events import Event, TokenRefreshed, TokenRefreshFailed
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


def test_callers_before_the_first_token_share_one_fetch() -> None:
    async def main() -> None:
        issuer = Issuer()
        async with keep(issuer) as keeper:
            tokens = await asyncio.gather(*(keeper.token() for _ in range(50)))
            assert {token.value for token in tokens} == {"token-1"}
            assert issuer.fetches == 1

    run_virtual(main())


def test_a_waiter_that_is_cancelled_takes_nothing_with_it() -> None:
    async def main() -> None:
        issuer = Issuer(latency_sec=2.0)
        async with keep(issuer) as keeper:
            waiting = [asyncio.create_task(keeper.token()) for _ in range(10)]
            await asyncio.sleep(1)
            for task in waiting[::2]:
                task.cancel()
            done = await asyncio.gather(*waiting, return_exceptions=True)
            assert [isinstance(each, asyncio.CancelledError) for each in done] == [True, False] * 5
            assert issuer.fetches == 1
            assert keeper.snapshot()["waiting"] == 0

    run_virtual(main())


def test_all_waiters_cancelled_and_the_token_comes_nevertheless() -> None:
    async def main() -> None:
        issuer = Issuer(latency_sec=2.0)
        async with keep(issuer) as keeper:
            task = asyncio.create_task(keeper.token())
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.sleep(2)
            assert keeper.current().epoch == 1
            assert issuer.fetches == 1

    run_virtual(main())


@pytest.mark.parametrize("how", ["hang", "deaf"])
def test_a_fetch_that_hangs_is_bounded_and_replaced(how: Down) -> None:
    async def main() -> None:
        issuer = Issuer(outages=[(0.0, 5.0, how)])
        async with keep(issuer) as keeper:
            token = await keeper.token(timeout=20)
            assert asyncio.get_running_loop().time() < 12
            assert token.epoch == 1
            assert issuer.fetches == 2
            assert issuer.renewed == 1
            assert keeper.snapshot()["counters"]["hung"] == 1

    run_virtual(main())


def test_fetches_that_all_hang_deaf_do_not_pile_up() -> None:
    async def main() -> None:
        policy = RefreshPolicy(fetch_timeout_sec=1.0)
        issuer = Issuer(policy=policy, outages=[(0.0, 30.0, "deaf")])
        async with keep(issuer) as keeper:
            await asyncio.sleep(35)
            assert issuer.most_in_flight == 4
            assert (await keeper.token(timeout=60)).epoch == 1

    run_virtual(main())


def test_no_token_in_time_says_why_in_one_line() -> None:
    async def main() -> None:
        issuer = Issuer(outages=[(0.0, 1000.0, "error")])
        async with keep(issuer, name="speech") as keeper:
            with pytest.raises(CredentialUnreachable, match=r"^speech: down$") as caught:
                await keeper.token(timeout=3)
            assert isinstance(caught.value.__cause__, CredentialUnreachable)
            assert asyncio.get_running_loop().time() == 3
            assert keeper.gate.why_not == "speech: down"
            assert not keeper.gate

    run_virtual(main())


def test_a_wrong_key_is_told_at_once_and_recovery_is_by_itself() -> None:
    async def main() -> None:
        issuer = Issuer(outages=[(0.0, 100.0, "refuse")])
        async with keep(issuer, name="speech") as keeper:
            with pytest.raises(CredentialRefused, match=r"^speech: wrong key$"):
                await keeper.token(timeout=50)
            with pytest.raises(CredentialRefused):
                await keeper.token(timeout=50)
            assert asyncio.get_running_loop().time() < 1
            await asyncio.sleep(100)
            assert issuer.fetches < 8
            await asyncio.sleep(31)
            assert keeper.gate.ready

    run_virtual(main())


def test_every_caller_gets_an_exception_of_its_own() -> None:
    async def main() -> None:
        async with keep(Issuer(outages=[(0.0, 100.0, "error")])) as keeper:
            errors = await asyncio.gather(*(keeper.token(timeout=2) for _ in range(3)), return_exceptions=True)
            assert len({id(error) for error in errors}) == 3

    run_virtual(main())


def test_a_token_that_ran_out_is_never_served() -> None:
    async def main() -> None:
        issuer = Issuer(600.0, outages=[(10.0, 5000.0, "error")])
        async with keep(issuer, name="speech") as keeper:
            await keeper.token()
            await asyncio.sleep(594)
            assert keeper.gate.ready
            assert keeper.gate.trouble == "speech: down"
            await asyncio.sleep(5)
            assert keeper.gate.why_not == "speech: the token ran out, and no other came: down"
            with pytest.raises(CredentialExpired):
                keeper.current()

    run_virtual(main())


def test_a_zero_timeout_takes_what_is_there() -> None:
    async def main() -> None:
        async with keep(Issuer()) as keeper:
            with pytest.raises(CredentialError, match="no answer yet"):
                await keeper.token(timeout=0)
            await asyncio.sleep(1)
            assert (await keeper.token(timeout=0)).epoch == 1

    run_virtual(main())


def test_before_start_and_after_close() -> None:
    async def main() -> None:
        issuer = Issuer(latency_sec=100.0)
        keeper = keep(issuer, name="speech")
        with pytest.raises(CredentialClosed, match="speech: is not started"):
            keeper.current()
        await keeper.start()
        waiting = asyncio.create_task(keeper.token(timeout=1000))
        refreshing = asyncio.create_task(keeper.refresh())
        await asyncio.sleep(1)
        await keeper.aclose()
        await keeper.aclose()
        for task in (waiting, refreshing):
            with pytest.raises(CredentialClosed, match="speech: is closed"):
                await task
        with pytest.raises(CredentialClosed):
            await keeper.start()
        with pytest.raises(CredentialClosed):
            keeper.get()
        assert not keeper.gate
        assert issuer.closed
        assert issuer.in_flight == 0
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())


def test_a_token_that_a_service_refuses_is_replaced_at_once_and_once() -> None:
    async def main() -> None:
        issuer = Issuer(600.0)
        async with keep(issuer, name="llm") as keeper:
            revoked = await keeper.token()
            del issuer.ends[revoked.value]
            for _ in range(20):
                keeper.refused(revoked.value)
            assert keeper.gate.why_not == "llm: the service refuses it"
            await asyncio.sleep(1)
            assert keeper.current().epoch == 2
            keeper.refused(revoked.value)  # late news
            await asyncio.sleep(1)
            assert issuer.fetches == 2
            assert issuer.renewed == 1
            assert keeper.gate.ready

    run_virtual(main())


def test_a_service_that_refuses_every_token_does_not_drive_the_issuer_mad() -> None:
    async def main() -> None:
        issuer = Issuer(3600.0)
        async with keep(issuer) as keeper:
            for _ in range(600):
                keeper.refused((await keeper.token()).value)
                await asyncio.sleep(1)
            assert issuer.fetches <= 600 / 30 + 2

    run_virtual(main())


def test_refresh_joins_no_fetch_that_began_before() -> None:
    async def main() -> None:
        issuer = Issuer(latency_sec=2.0)
        async with keep(issuer) as keeper:
            await asyncio.sleep(1)
            token = await keeper.refresh()
            assert token.epoch == 2
            assert issuer.most_in_flight == 1

    run_virtual(main())


def test_events_hold_names_and_numbers() -> None:
    async def main() -> None:
        events: list[Event] = []
        issuer = Issuer(600.0, outages=[(200.0, 310.0, "error")])
        async with keep(issuer, name="speech", on_event=events.append) as keeper:
            await keeper.token()
            await asyncio.sleep(400)
        refreshed = [event for event in events if isinstance(event, TokenRefreshed)]
        failed = [event for event in events if isinstance(event, TokenRefreshFailed)]
        assert [(each.epoch, round(each.took_ms)) for each in refreshed] == [(1, 200), (2, 200)]
        assert [each.failures for each in failed] == list(range(1, len(failed) + 1))
        assert {each.error for each in failed} == {"CredentialUnreachable"}
        assert "token-" not in repr(events)

    run_virtual(main())


def test_who_listens_to_events_and_fails_stops_nothing() -> None:
    async def main() -> None:
        def fail(_: Event) -> None:
            raise ValueError

        async with keep(Issuer(), on_event=fail) as keeper:
            await keeper.token()
            await asyncio.sleep(1000)
            assert keeper.current().epoch > 1

    run_virtual(main())
