import asyncio

import pytest

from tests.session.test_turns import Clock
from warmline.events import CallEnded, CallStarted, LeaseTaken, TurnFinished
from warmline.pool import WarmableResourcePool
from warmline.session import Session


class Resource:
    def __init__(self, closed, name):
        self.closed, self.name = closed, name

    async def aclose(self):
        self.closed.append(self.name)


def test_everything_held_is_given_back_last_first_and_observers_are_told():
    events, closed = [], []

    async def scenario():
        async with Session(Clock(), events.append, active_calls=3) as session:
            session.hold(Resource(closed, "ear"))
            session.hold(Resource(closed, "voice"))
            session.finish_turn(0, interrupted=False)
            session.end_reason = "bye"

    asyncio.run(scenario())
    assert closed == ["voice", "ear"]
    assert [type(event) for event in events] == [CallStarted, TurnFinished, CallEnded]
    assert events[0].active_calls == 3
    assert events[-1].reason == "bye"
    assert len({event.session_id for event in events}) == 1


def test_a_call_that_fails_gives_everything_back_too():
    events, closed = [], []

    async def scenario():
        async with Session(Clock(), events.append) as session:
            session.hold(Resource(closed, "ear"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(scenario())
    assert closed == ["ear"]
    assert isinstance(events[-1], CallEnded)


class Ear:
    def __init__(self, closed):
        self.closed = closed

    async def aclose(self):
        self.closed.append(self)


def leased(closed, work, **knobs):
    """Run `work(session, pool)` in a session; returns the events and the pool's snapshot after it."""
    events = []

    async def make():
        return Ear(closed)

    async def scenario():
        async with WarmableResourcePool(make, name="ear", **knobs) as pool:
            try:
                async with Session(Clock(), events.append) as session:
                    await work(session, pool)
            except ZeroDivisionError:
                pass
            await asyncio.sleep(0.01)
            return pool.snapshot()

    return events, asyncio.run(scenario())


def test_what_is_leased_goes_back_at_the_end_and_the_record_of_the_call_names_it():
    async def work(session, pool):
        session.prefetch(pool)
        await session.take(pool)

    closed = []
    events, snapshot = leased(closed, work)
    assert [type(event) for event in events] == [CallStarted, LeaseTaken, CallEnded]
    assert events[-1].leases == (events[1],)
    assert (events[1].pool, events[1].tier, events[1].session_id) == ("ear", "warm", events[0].session_id)
    assert (snapshot["counts"]["leased"], snapshot["counters"]["recycled"]) == (0, 1)
    assert snapshot["counters"]["late_releases"] == 0


def test_what_was_leased_when_a_call_failed_is_never_lent_again():
    async def work(session, pool):
        await session.take(pool)
        raise ZeroDivisionError

    _, snapshot = leased([], work)
    assert snapshot["closed"]["broken"] == 1
    assert snapshot["counts"]["leased"] == 0


def test_what_was_prefetched_and_never_taken_is_given_back():
    async def work(session, pool):
        session.prefetch(pool)

    events, snapshot = leased([], work)
    assert snapshot["counts"]["leased"] == snapshot["counts"]["waiting"] == 0
    assert events[-1].leases == ()
