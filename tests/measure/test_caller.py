"""The caller against an agent over real sockets: what it reports, and what it does when the agent misbehaves."""

import asyncio
import re
import socket
from typing import Any

import numpy as np
import pytest

from tests.measure.scripted_agent import AgentEnd, agent
from tests.measure.sounds import babble, click, silence, tone
from warmline.measure import Caller, CallPlan, CallResult, ScriptTurn, Utterance, place_calls

HELLO = Utterance("hello", babble(0.3))


def plan(*expectations: str | None, **changes: object) -> CallPlan:
    turns = [
        (ScriptTurn(say="hello", intent="greet", expect=re.compile(expected) if expected else None), HELLO)
        for expected in expectations
    ]
    settings: dict[str, object] = {"gap_sec": 0.04, "turn_timeout_sec": 0.5, "greeting_timeout_sec": 0.5} | changes
    return CallPlan(turns=turns, **settings)  # type: ignore[arg-type]


def call(behave, plan: CallPlan, **caller_arguments: Any) -> CallResult:
    async def place() -> CallResult:
        async with agent(behave) as url:
            return await Caller(url, **caller_arguments).call(plan)

    return asyncio.run(place())


async def polite(end: AgentEnd) -> None:
    await end.event("ready", warm="all")
    await end.event("reply", turn=0, text="Good day")
    await end.say(0, babble(0.3))
    turn = 0
    while True:
        await end.hear_utterance()
        turn += 1
        await end.event("transcript", turn=turn, text="hello there")
        await end.event("reply", turn=turn, text=f"This is answer {turn}")
        await end.say(turn, babble(0.3))


def test_a_whole_call_is_measured_and_its_texts_are_kept() -> None:
    result = call(polite, plan("answer 1", "something else"))
    assert result.completed
    assert [turn.expectation_held for turn in result.turns] == [True, False]
    assert not result.expectations_held
    assert (result.warm, result.greeting) == ("all", "Good day")
    assert result.greeting_ms is not None
    assert result.connected_ms is not None
    assert 0 < result.connected_ms <= result.greeting_ms
    assert [turn.reply for turn in result.turns] == ["This is answer 1", "This is answer 2"]
    assert [turn.transcript for turn in result.turns] == ["hello there", "hello there"]
    assert result.turns[0].stages_ms == {"first_audio_sent": 1.0}
    # The agent answers 100 ms after the last loud frame.
    assert all(turn.v2v_ms is not None and turn.v2v_ms >= 80 for turn in result.turns)


def test_without_turns_the_caller_hangs_up_once_it_has_heard_the_greeting() -> None:
    ends: list[AgentEnd] = []

    async def greet(end: AgentEnd) -> None:
        await end.say(0, babble(1.0))
        await end.hear_bye()

    async def place() -> CallResult:
        async with agent(greet, ends) as url:
            return await Caller(url).call(plan())

    result = asyncio.run(place())
    assert result.completed
    assert result.turns == ()
    assert ends[0].events == [{"type": "bye"}]


def test_frames_leave_in_real_time_and_carry_the_utterance_whole() -> None:
    ends: list[AgentEnd] = []

    async def place() -> CallResult:
        async with agent(polite, ends) as url:
            return await Caller(url).call(plan(None))

    assert asyncio.run(place()).completed
    frames = ends[0].audio_frames
    assert {len(frame) for frame in frames} == {640}
    assert HELLO.samples.astype("<i2").tobytes() in b"".join(frames)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [({"sha256": "0" * 64}, "not what was sent"), ({"extra_samples": 1}, "samples arrived")],
)
def test_an_answer_that_is_not_what_was_announced_is_a_fault(damage: dict[str, object], fault: str) -> None:
    async def lie(end: AgentEnd) -> None:
        await end.say(0, babble(0.3), **damage)  # type: ignore[arg-type]
        await end.hear_bye()

    result = call(lie, plan(None))
    assert not result.completed
    assert fault in result.faults[0]


def test_no_answer_fails_the_turn_and_the_next_is_tried() -> None:
    async def deaf_once(end: AgentEnd) -> None:
        await end.say(0, babble(0.3))
        await end.hear_utterance()
        await end.hear_utterance()
        await end.say(1, babble(0.3))
        await end.hear_bye()

    result = call(deaf_once, plan(None, None))
    assert [turn.failure for turn in result.turns] == ["no answer within 0.5 s", None]
    assert not result.completed


def test_no_greeting_fails_the_call() -> None:
    async def dumb(end: AgentEnd) -> None:
        await end.hear_bye()

    result = call(dumb, plan(None))
    assert result.failure == "no greeting within 0.5 s"
    assert result.greeting_ms is None


@pytest.mark.parametrize("noise", [click(), tone(0.4)], ids=["click", "beep"])
def test_a_click_or_a_beep_is_no_answer(noise) -> None:
    async def rattle(end: AgentEnd) -> None:
        await end.say(0, babble(0.3))
        await end.hear_utterance()
        await end.say(1, noise)
        await end.hear_bye()

    result = call(rattle, plan(None))
    assert result.turns[0].v2v_ms is None
    assert result.turns[0].failure == "no answer within 0.5 s"


def test_a_full_house_is_told_with_code_and_reason() -> None:
    async def busy(end: AgentEnd) -> None:
        await end.event("error", code=1013, reason="all lines are busy")
        await end.socket.close(1013, "all lines are busy")

    result = call(busy, plan(None))
    assert result.close_code == 1013
    assert result.failure is not None
    assert "1013" in result.failure
    assert "all lines are busy" in result.failure


def test_a_line_that_drops_while_the_caller_speaks_fails_the_call() -> None:
    async def vanish(end: AgentEnd) -> None:
        await end.say(0, babble(0.3))
        while abs(await end.hear_frame()).max() < 300:
            pass
        end.socket.transport.abort()

    result = call(vanish, plan(None))
    assert result.greeting_ms is not None
    assert result.failure == "the agent closed the line with code none"


def test_a_barge_in_is_flushed_and_the_interrupting_turn_is_measured() -> None:
    async def interruptible(end: AgentEnd) -> None:
        await end.say(0, babble(0.3))
        await end.hear_utterance()
        await end.event("bot_started", turn=1)
        long_answer = bytes(babble(3.0).tobytes())
        for start in range(0, len(long_answer), 640):
            await end.socket.send(long_answer[start : start + 640])
        while abs(await end.hear_frame()).max() < 300:
            pass
        await end.event("flush", turn=1)
        await end.stop(1, long_answer, interrupted=True)
        await end.hear_utterance()
        await end.say(2, babble(0.3))
        await end.hear_bye()

    result = call(interruptible, plan(None, None, barge_in_ms=200))
    assert result.completed, result
    assert result.turns[0].interrupted
    assert not result.turns[1].interrupted
    assert result.turns[1].v2v_ms is not None
    assert result.turns[1].silenced_ms is not None


def test_an_answer_before_the_caller_has_finished_fails_the_turn() -> None:
    async def hasty(end: AgentEnd) -> None:
        await end.say(0, babble(0.3))
        while abs(await end.hear_frame()).max() < 300:
            pass
        await end.say(1, babble(0.3))
        await end.hear_bye()

    async def place() -> CallResult:
        async with agent(hasty) as url:
            long = Utterance("a long story", babble(0.9))
            return await Caller(url).call(CallPlan(turns=[(ScriptTurn(say="a long story"), long)], gap_sec=0.04))

    assert asyncio.run(place()).turns[0].failure == "answered before the caller had finished"


def test_a_ticket_is_shown_first_and_in_a_message() -> None:
    ends: list[AgentEnd] = []

    async def place() -> CallResult:
        async with agent(polite, ends) as url:
            return await Caller(url, ticket="open sesame").call(plan(None))

    assert asyncio.run(place()).completed
    assert ends[0].events[0] == {"type": "hello", "ticket": "open sesame"}


def test_nobody_there_is_a_result_and_no_exception() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{free.getsockname()[1]}/ws"
        result = asyncio.run(Caller(url).call(plan(None)))
    assert not result.completed
    assert result.failure is not None
    assert result.failure.startswith("no connection")


def test_a_server_that_comes_up_during_the_call_is_waited_for() -> None:
    async def place() -> CallResult:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        caller = Caller(f"ws://127.0.0.1:{port}/ws")
        calling = asyncio.create_task(caller.call(plan(), called_sec=asyncio.get_running_loop().time()))
        await asyncio.sleep(0.1)
        async with agent(polite, port=port):
            return await calling

    result = asyncio.run(place())
    assert result.completed
    assert result.greeting_ms is not None
    assert result.greeting_ms >= 100  # the wait for the server counts


def test_speech_after_silence_is_measured_where_it_begins() -> None:
    async def slow(end: AgentEnd) -> None:
        await end.say(0, babble(0.3))
        await end.hear_utterance()
        await end.event("bot_started", turn=1)
        answer = np.concatenate([silence(0.3), babble(0.3)]).astype("<i2").tobytes()
        for start in range(0, len(answer), 640):
            await end.socket.send(answer[start : start + 640])
        await end.stop(1, answer)
        await end.hear_bye()

    turn = call(slow, plan(None)).turns[0]
    assert turn.v2v_ms is not None
    assert turn.v2v_ms >= 380  # 100 ms until the agent answers, then 300 ms of silence in the answer


def test_calls_at_the_same_time_are_bounded_and_come_back_in_order() -> None:
    open_calls: list[int] = []
    most = 0

    async def counted(end: AgentEnd) -> None:
        nonlocal most
        open_calls.append(1)
        most = max(most, len(open_calls))
        try:
            await polite(end)
        finally:
            open_calls.pop()

    async def place() -> list[CallResult]:
        async with agent(counted) as url:
            plans = [plan(voice=str(number)) for number in range(6)]
            return await place_calls(Caller(url), plans, parallel=3)

    results = asyncio.run(place())
    assert [result.voice for result in results] == ["0", "1", "2", "3", "4", "5"]
    assert all(result.completed for result in results)
    assert 1 < most <= 3
