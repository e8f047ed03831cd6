"""Whole calls with real speech, real engines and a caller in real time: what was heard and answered, in which order."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.agent.served import FRAME, events_until, served
from tests.processes import children
from warmline.events import TurnFinished
from warmline.measure import Caller, CallPlan, ScriptTurn, Utterance, read_wav
from warmline.session import Stage
from warmline.settings import load_scenario

DATA = Path(__file__).parents[1] / "data"
ANSWERED = [
    Stage.SPEECH_END,
    Stage.VAD_STOP,
    Stage.STT_FINAL,
    Stage.TURN_DECIDED,
    Stage.LLM_SENT,
    Stage.LLM_FIRST_TOKEN,
    Stage.FIRST_SENTENCE,
    Stage.TTS_FIRST_BYTE,
    Stage.FIRST_AUDIO_SENT,
]
SAID = {
    "hours": ("what are your opening hours", "opening_hours.wav", "every day"),
    "parking": ("where can i park my car", "parking.wav", "behind the house"),
    "phone": ("what is your phone number", "phone_number.wav", "two three four eight"),
}


def plan(*names, **kwargs):
    spoken = [(SAID[name][0], read_wav(DATA / SAID[name][1])) for name in names]
    return CallPlan(turns=[(ScriptTurn(say=text), Utterance(text, samples)) for text, samples in spoken], **kwargs)


def test_a_call_is_greeted_heard_and_answered_turn_by_turn(tmp_path):
    async def scenario():
        async with served(tmp_path) as agent:
            return await Caller(agent.url).call(plan("hours", "parking", "phone"))

    result = asyncio.run(scenario())
    assert result.completed, (result.failure, result.faults, result.turns)
    assert result.greeting.startswith("The Blue Lantern")
    assert list(result.greeting_stages_ms) == ["accepted", "session_open", "first_audio_sent"]
    for turn, name in zip(result.turns, ("hours", "parking", "phone"), strict=True):
        text, _, answer = SAID[name]
        assert turn.transcript == text
        assert answer in turn.reply.lower()
        assert list(turn.stages_ms) == ANSWERED
        assert list(turn.stages_ms.values()) == sorted(turn.stages_ms.values())


def test_a_turn_is_told_once_however_it_ends(tmp_path):
    """The greeting is cut off by the first question, the first answer by the second question, the second is whole."""

    talkative = replace(load_scenario(), greeting="Good evening, and welcome. " * 8)

    async def scenario():
        async with served(tmp_path, scenario=talkative) as agent, agent.call() as call:
            seen = await events_until(call, "bot_started", turn=0)
            for turn, file in enumerate(("parking.wav", "phone_number.wav"), start=1):
                speaking = asyncio.create_task(speak(call, file))
                seen += await events_until(call, "bot_started", turn=turn)
                speaking.cancel()
            seen += await events_until(call, "turn", turn=2)
            await call.send('{"type":"bye"}')
            seen += [json.loads(message) async for message in call if isinstance(message, str)]
            return seen, agent.events

    seen, events = asyncio.run(scenario())
    turns = [(0, True), (1, True), (2, False)]
    assert [(event["turn"], event["interrupted"]) for event in seen if event["type"] == "turn"] == turns
    assert [(event.turn, event.interrupted) for event in events if isinstance(event, TurnFinished)] == turns


def test_a_caller_who_barges_in_is_answered_and_the_old_answer_stops(tmp_path):
    async def scenario():
        async with served(tmp_path) as agent:
            return await Caller(agent.url).call(plan("parking", "hours", barge_in_ms=300))

    result = asyncio.run(scenario())
    assert result.completed, (result.failure, result.faults, result.turns)
    assert [turn.interrupted for turn in result.turns] == [True, False]
    assert "every day" in result.turns[1].reply.lower()


def test_a_stray_hello_neither_stops_the_greeting_nor_is_answered_and_the_first_word_is_kept(tmp_path):
    async def scenario():
        async with served(tmp_path) as agent, agent.call() as call:
            speaking = asyncio.create_task(speak(call, "hello.wav", "opening_hours.wav"))
            seen = await events_until(call, "bot_stopped", turn=1)
            speaking.cancel()
            return seen

    seen = asyncio.run(scenario())
    assert [event["type"] for event in seen if event["type"] == "flush"] == []
    assert [event["interrupted"] for event in seen if event["type"] == "bot_stopped"] == [False, False]
    assert [event["text"] for event in seen if event["type"] == "transcript"] == ["what are your opening hours"]
    assert [event["turn"] for event in seen if event["type"] == "reply"] == [0, 1]


async def speak(call, *files):
    """Say files one after the other, in real time, from the very first moment of the call; then be silent."""
    for file in files:
        pcm = (DATA / file).read_bytes()[44:]
        for start in range(0, len(pcm), len(FRAME)):
            await call.send(pcm[start : start + len(FRAME)])
            await asyncio.sleep(0.02)
    while True:
        await call.send(FRAME)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("warm", ["imports", "none"])
def test_a_cold_server_answers_too(tmp_path, warm):
    async def scenario():
        async with served(tmp_path, warm=warm) as agent:
            assert children() == []  # nothing is made before somebody calls
            return await Caller(agent.url).call(plan("hours"))

    result = asyncio.run(scenario())
    assert result.completed, (result.failure, result.faults, result.turns)
    assert result.warm == warm
    assert "every day" in result.turns[0].reply.lower()
