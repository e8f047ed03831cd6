"""The acceptance calls of bench/calls, as perfect text."""

import re
import string
from pathlib import Path

import pytest

from warmline.measure import load_script

from .caller import Caller

CALLS = Path(__file__).parents[3] / "bench" / "calls"
SCRIPTS = {path.stem: load_script(path) for path in sorted(CALLS.glob("call_*.toml"))}
STEADY = load_script(CALLS / "steady.toml")


def turns():
    return [turn for script in SCRIPTS.values() for turn in script.turns]


def phrase_patterns():
    """A pattern for each phrase of the scenario: any value may stand in each slot."""
    scenario = Caller().scenario
    values = {slot: f"(?:{'|'.join(map(re.escape, spoken))})" for slot, spoken in scenario.slots.items()}
    return [re.compile(string.Template(p).substitute(values)) for phrases in scenario.phrases.values() for p in phrases]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_intent_of_the_call_is_right(name):
    caller = Caller()
    for turn in SCRIPTS[name].turns:
        decision = caller.says(turn.say)
        assert decision.intent == turn.intent, turn.say
        assert turn.expect
        assert turn.expect.search(decision.reply), (turn.say, decision.reply)


def test_there_are_ten_calls_of_five_turns_half_of_them_unseen():
    assert [len(script.turns) for script in SCRIPTS.values()] == [5] * 10
    assert sum(turn.wording == "unseen" for turn in turns()) >= 25


def test_the_labels_of_the_wordings_are_true():
    patterns = phrase_patterns()
    for turn in turns():
        is_known = any(pattern.fullmatch(turn.say) for pattern in patterns)
        assert turn.wording == ("known" if is_known else "unseen"), turn.say


def subject(intent):
    """A table and an appointment are asked for in the same words."""
    return intent.removesuffix("_table").removesuffix("_appointment")


def test_no_expectation_is_met_by_not_understanding_or_by_the_answer_to_another_intent():
    replies = set()
    for script in SCRIPTS.values():
        caller = Caller()
        replies |= {(subject(turn.intent), caller.says(turn.say).reply) for turn in script.turns}
    lost = Caller()
    replies |= {("unclear", lost.says("of the of the").reply) for _ in range(20)}
    for turn in (turn for turn in turns() if turn.intent != "repeat"):
        assert turn.expect
        others = [reply for intent, reply in replies if intent not in {subject(turn.intent), "repeat"}]
        assert [reply for reply in others if turn.expect.search(reply)] == [], turn.say


def test_the_steady_call_gets_the_same_short_answer_every_time():
    caller = Caller()
    replies = {caller.says(turn.say).reply for turn in STEADY.turns}
    assert len(STEADY.turns) == 5
    assert len({turn.say for turn in STEADY.turns}) == 1
    assert replies == {"Noon to ten, every day."}
