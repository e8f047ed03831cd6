"""Turn bookkeeping, on virtual time: every figure is exact."""

import hashlib
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.measure.sounds import babble, silence
from warmline.measure import CallPlan, CallResult, Samples, ScriptTurn, Utterance
from warmline.measure.conversation import Conversation

SAY = ScriptTurn(say="hello", wording="known", expect=re.compile("welcome"))


class VirtualCall:
    """A caller and an agent that share one virtual clock."""

    def __init__(self, plan: CallPlan, *, called_sec: float = 100.0, connected_sec: float = 100.05) -> None:
        self.conversation = Conversation(plan, called_sec, connected_sec)
        self.now_sec = connected_sec
        self.loud_until_sec = 0.0

    def event(self, kind: str, **fields: object) -> None:
        self.conversation.line.received(json.dumps({"type": kind, **fields}), self.now_sec)

    def say(self, turn: int, samples: Samples, *, interrupted: bool = False, stop: bool = True) -> None:
        """An answer whose frames all arrive now."""
        audio = samples.astype("<i2").tobytes()
        self.event("bot_started", turn=turn)
        for start in range(0, len(audio), 640):
            self.conversation.line.received(audio[start : start + 640], self.now_sec)
        if stop:
            self.stop(turn, audio, interrupted=interrupted)

    def stop(self, turn: int, audio: bytes, *, interrupted: bool = False) -> None:
        digest = hashlib.sha256(audio).hexdigest()
        self.event("bot_stopped", turn=turn, samples=len(audio) // 2, sha256=digest, interrupted=interrupted)

    def tick(self) -> bool:
        """20 ms pass; whether the caller was loud in them."""
        self.now_sec += 0.02
        frame = np.frombuffer(self.conversation.frame(self.now_sec), "<i2")
        assert len(frame) == 320
        audible = np.flatnonzero(np.abs(frame.astype(int)) > 327)
        if audible.size:
            self.loud_until_sec = self.now_sec - 0.02 + (audible[-1] + 1) / 16_000
        return bool(audible.size)

    def ticks(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self.tick()

    def hear_out(self) -> None:
        """Until the caller has begun to speak, and has ended."""
        while not self.tick():
            assert not self.conversation.over
        while self.tick():
            pass

    def result(self) -> CallResult:
        return self.conversation.result("ws://nowhere")


def plan(turns: int, **settings: Any) -> CallPlan:
    return CallPlan(turns=[(SAY, Utterance("hello", babble(0.305)))] * turns, **({"jitter": lambda: 0.0} | settings))


@pytest.fixture
def greeted() -> VirtualCall:
    call = VirtualCall(plan(2))
    call.say(0, babble(0.4))
    return call


def test_greeting_counts_from_the_call_to_the_first_audible_sample() -> None:
    call = VirtualCall(plan(0), called_sec=100.0, connected_sec=100.05)
    call.now_sec = 100.3
    call.say(0, np.concatenate([silence(0.07), babble(0.4)]))
    call.tick()
    assert call.conversation.over
    assert call.result().greeting_ms == pytest.approx(370)
    assert call.result().connected_ms == pytest.approx(50)
    assert call.result().completed


def test_voice_to_voice_counts_from_the_last_audible_sample_to_the_first_heard(greeted: VirtualCall) -> None:
    greeted.hear_out()
    spoken_sec = greeted.loud_until_sec
    greeted.now_sec = spoken_sec + 0.25
    greeted.event("transcript", turn=1, text="hello")
    greeted.event("reply", turn=1, text="You are Welcome")
    greeted.say(1, np.concatenate([silence(0.05), babble(0.4)]))
    greeted.tick()
    turn = greeted.result().turns[0]
    assert turn.v2v_ms == pytest.approx(300, abs=0.1)
    assert (turn.transcript, turn.reply, turn.expectation_held) == ("hello", "You are Welcome", False)
    assert turn.wording == "known"


def test_an_answer_behind_audio_still_being_played_is_heard_later(greeted: VirtualCall) -> None:
    greeted.hear_out()
    spoken_sec = greeted.loud_until_sec
    greeted.now_sec = spoken_sec + 0.1
    greeted.conversation.line.received(silence(0.5).tobytes(), greeted.now_sec)  # belongs to no answer, yet is played
    greeted.say(1, babble(0.4))
    greeted.tick()
    assert greeted.result().turns[0].v2v_ms == pytest.approx(600, abs=0.1)


def test_the_next_turn_waits_until_the_answer_was_heard_to_its_end(greeted: VirtualCall) -> None:
    greeted.hear_out()
    greeted.say(1, babble(1.0))
    heard_sec = greeted.now_sec + 1.0
    while not greeted.tick():
        pass
    assert greeted.now_sec >= heard_sec + 0.5
    assert greeted.now_sec <= heard_sec + 0.5 + 0.08


def test_a_turn_of_its_own_pause_is_said_that_long_after_the_answer_was_heard_and_never_barges_in() -> None:
    utterance = Utterance("hello", babble(0.305))
    turns = [(SAY, utterance), (replace(SAY, pause_sec=60.0), utterance)]
    call = VirtualCall(CallPlan(turns=turns, barge_in_ms=100, jitter=lambda: 0.0))
    call.say(0, babble(0.4))
    call.hear_out()
    call.say(1, babble(1.0))
    heard_sec = call.now_sec + 1.0
    while not call.tick():
        assert not call.conversation.over
    assert heard_sec + 60.0 <= call.now_sec <= heard_sec + 60.08


def test_after_the_last_turn_the_caller_hangs_up(greeted: VirtualCall) -> None:
    for turn in (1, 2):
        greeted.hear_out()
        greeted.say(turn, babble(0.4))
    greeted.ticks(1.1)
    assert greeted.conversation.over
    assert greeted.result().completed
    assert len(greeted.result().turns) == 2


def test_a_turn_without_answer_times_out_and_the_call_goes_on(greeted: VirtualCall) -> None:
    greeted.hear_out()
    greeted.ticks(14.9)
    assert greeted.result().turns[0].failure is None
    greeted.ticks(0.3)
    assert greeted.result().turns[0].failure == "no answer within 15 s"
    assert greeted.result().turns[0].expectation_held is False
    greeted.hear_out()
    greeted.say(1, babble(0.4))
    greeted.ticks(1.1)
    assert greeted.result().turns[1].v2v_ms is not None


def test_an_answer_that_never_ends_fails_its_turn(greeted: VirtualCall) -> None:
    greeted.hear_out()
    greeted.say(1, babble(0.4), stop=False)
    greeted.ticks(61)
    assert greeted.result().turns[0].failure == "the answer did not end within 60 s"


def test_frames_that_come_too_late_are_told(greeted: VirtualCall) -> None:
    greeted.hear_out()
    first, second = babble(0.4), babble(0.4)
    greeted.say(1, first, stop=False)
    greeted.now_sec += 0.52
    greeted.conversation.line.received(second.tobytes(), greeted.now_sec)
    greeted.stop(1, first.tobytes() + second.tobytes())
    greeted.tick()
    turn = greeted.result().turns[0]
    assert turn.longest_wait_ms == pytest.approx(120, abs=0.1)
    assert turn.longest_silence_ms == pytest.approx(120, abs=0.2)
    assert not greeted.result().faults


def test_a_barge_in_begins_so_long_after_the_answer_was_heard_and_measures_the_silencing() -> None:
    call = VirtualCall(plan(2, barge_in_ms=300))
    call.say(0, babble(0.4))
    call.hear_out()
    answer = babble(3.0)
    call.say(1, answer, stop=False)
    heard_sec = call.now_sec
    while not call.tick():
        pass
    began_sec = call.now_sec - 0.02
    assert began_sec == pytest.approx(heard_sec + 0.3, abs=0.041)
    call.ticks(0.2)
    call.event("flush", turn=1)
    flushed_sec = call.now_sec
    call.stop(1, answer.tobytes(), interrupted=True)
    while call.tick():
        pass
    call.now_sec = call.loud_until_sec + 0.4
    call.say(2, babble(0.4))
    call.tick()
    first, second = call.result().turns
    assert first.interrupted
    assert second.v2v_ms == pytest.approx(400, abs=0.1)
    assert second.silenced_ms == pytest.approx(1000 * (flushed_sec - began_sec), abs=0.1)


def test_an_answer_in_the_middle_of_the_utterance_that_is_taken_back_does_not_count(greeted: VirtualCall) -> None:
    while not greeted.tick():
        pass
    greeted.say(1, babble(0.25), interrupted=True)
    greeted.event("flush", turn=1)
    while greeted.tick():
        pass
    greeted.now_sec = greeted.loud_until_sec + 0.5
    greeted.say(2, babble(0.4))
    greeted.tick()
    assert greeted.result().turns[0].v2v_ms == pytest.approx(500, abs=0.1)
    assert greeted.result().turns[0].failure is None


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda call: call.conversation.line.received("[1]", 1.0), "no JSON object"),
        (lambda call: call.conversation.line.received("{", 1.0), "no JSON object"),
        (lambda call: call.conversation.line.received(b"abc", 1.0), "odd length"),
        (lambda call: call.event("bot_stopped", turn=3), "without its bot_started"),
        (lambda call: call.say(0, babble(0.2)), "answered already"),
        (lambda call: [call.event("bot_started", turn=turn) for turn in (1, 2)], "before the answer before it"),
    ],
)
def test_breaches_of_the_protocol_are_faults(greeted: VirtualCall, break_it, fault: str) -> None:
    break_it(greeted)
    assert any(fault in found for found in greeted.result().faults)
    assert not greeted.result().completed


def test_unknown_events_and_fields_are_ignored(greeted: VirtualCall) -> None:
    greeted.event("weather", rain=True)
    greeted.event("ready", warm="all", colour="blue")
    assert greeted.result().faults == ()
    assert greeted.result().warm == "all"


def test_utterances_begin_at_any_of_a_vads_phases() -> None:
    began = set()
    for jitter in (0.0, 0.5, 1.0):
        call = VirtualCall(plan(1, jitter=lambda jitter=jitter: jitter))
        call.say(0, babble(0.4))
        call.hear_out()
        began.add(round((call.now_sec - 100.05) / 0.02))
    assert len(began) == 3


def test_an_utterance_that_is_due_begins_with_the_frame_that_the_plan_lets_it_begin_with() -> None:
    asked: list[tuple[int, int]] = []

    def may_begin(turn: int, frame: int) -> bool:
        asked.append((turn, frame))
        return frame % 8 == 3

    call = VirtualCall(plan(2, may_begin=may_begin, barge_in_ms=100))
    call.say(0, babble(0.4))
    began = []
    for turn in (1, 2):
        call.hear_out()
        began.append(asked[-1])
        call.say(turn, babble(2.0))
    assert [turn for turn, _ in began] == [1, 2]
    assert [frame % 8 for _, frame in began] == [3, 3]
    assert [turn for turn, _ in asked] == sorted(turn for turn, _ in asked)
