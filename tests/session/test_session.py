import asyncio

import pytest

from tests.session.test_turns import Clock
from warmline.events import CallEnded, CallStarted, TurnFinished
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
