"""What a recogniser makes of sentences is understood nearly as well as the sentences themselves."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from .caller import Caller

HEARD = tomllib.loads(Path(__file__).with_name("misheard.toml").read_text())["heard"]


def test_sentences_heard_wrong_by_a_real_recogniser():
    """Most of those that stay wrong have lost the only word that tells."""
    wrong = [row for row in HEARD if Caller().says(row["as"]).intent != row["intent"]]
    assert len(HEARD) == 96
    assert len(wrong) <= 11, Counter(f"{row['as']} ({row['intent']})" for row in wrong)


@pytest.mark.parametrize("sentence", sorted({(row["said"], row["intent"]) for row in HEARD}))
def test_the_sentences_themselves(sentence):
    said, intent = sentence
    assert Caller().says(said).intent == intent


@pytest.mark.parametrize(
    ("heard", "intent"),
    [
        ("what are your opening ours", "opening_hours"),
        ("when do you hope and close", "opening_hours"),
        ("is there barking", "parking"),
        ("i would like to buck a table", "book_table"),
        ("like book table", "book_table"),
        ("a cable for for tomorrow", "book_table"),
        ("i want to council my booking", "cancel_booking"),
        ("how is at going", "how_are_you"),
        ("are you a robert", "are_you_a_robot"),
        ("thank shoe", "thanks"),
        ("good buy", "goodbye"),
        ("how much is diner", "prices"),
        ("have you got anything without meet", "vegetarian_food"),
    ],
)
def test_typical_confusions_and_lost_words(heard, intent):
    assert Caller().says(heard).intent == intent


def test_a_booking_with_an_error_in_every_turn():
    caller = Caller()
    caller.says("i would like to buck a cable")
    caller.says("on fry day evening")
    caller.says("at have passed seven oh clock")
    caller.says("for for people")
    last = caller.says("my name his peter")
    assert last.slots == {"day": "friday evening", "time": "half past seven", "party_size": "four", "name": "peter"}
    assert caller.says("yet").reply.startswith("That is booked.")
