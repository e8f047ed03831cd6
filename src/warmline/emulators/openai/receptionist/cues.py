"""What the words of a turn are about: every intent has cues, each with a weight; the heaviest sum wins."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from warmline.engines.sound_alike import HEARD, likeness, phrase_likeness

__all__ = ["Evidence", "Intent", "hears", "weigh"]

Intent = Literal[
    "book_table",
    "book_appointment",
    "change_booking",
    "cancel_booking",
    "greeting",
    "how_are_you",
    "are_you_a_robot",
    "repeat",
    "thanks",
    "goodbye",
]

_CUES: Mapping[Intent, Mapping[str, float]] = {
    "book_table": {
        "book": 2.5, "booking": 2, "reserve": 2.5, "reservation": 2.5, "table": 1.5, "table for": 1,
        "free": 0.7, "available": 0.7, "seats": 1, "party of": 1.5, "space for": 1.5, "room for": 1, "place for": 1.5,
        "come for dinner": 2, "come for lunch": 2, "have dinner": 1.5, "have lunch": 1.5,
    },
    "book_appointment": {
        "appointment": 5.5, "viewing": 2.5, "visit": 1.5, "look at": 1.5, "have a look": 1.5, "like to see": 1.5,
    },
    "change_booking": {
        "change": 2, "move": 1.5, "reschedule": 3, "postpone": 3, "another time": 2, "another day": 2,
        "change booking": 2,
        "change reservation": 2, "change my": 1,
    },
    "cancel_booking": {
        "cancel": 4, "call off": 3.5, "call of": 3, "never mind": 3.5, "forget it": 3.5,
        "forget about it": 3.5, "cannot come": 3, "can't come": 3, "cannot make it": 3, "can't make it": 3,
        "won't come": 3,
        "not coming": 3, "not come": 2.5, "don't need": 1.5, "delete": 2.5, "remove": 2,
    },
    "greeting": {
        "hello": 1.2, "hi": 1.2, "hey": 1.2, "good morning": 1.2, "good afternoon": 1.2, "good evening": 1.2,
        "good day": 1.2,
    },
    "how_are_you": {
        "how are you": 2.2, "how is it going": 3, "how's it going": 3, "is going": 2.5, "how are things": 3,
        "are you well": 2.5, "nice to meet": 3, "how do you do": 3, "how is your day": 3, "are you doing": 2,
        "you feeling": 2, "having a good day": 2,
    },
    "are_you_a_robot": {
        "robot": 3, "machine": 3, "human": 3, "computer": 3, "real person": 3, "are you real": 3, "who are you": 3,
        "what can you do": 3, "talking to a person": 3, "are you a person": 3, "are you a man": 2, "artificial": 3,
        "who am i": 2.5, "who is this": 2.5,
    },
    "repeat": {
        "repeat": 3, "say that again": 3, "say again": 3, "say it again": 3, "one more time": 3, "once more": 3,
        "pardon": 3,
        "did you say": 3, "not hear": 3, "didn't hear": 3, "not understand": 2.5, "didn't catch": 3, "not catch": 3,
        "come again": 3, "once again": 3, "again": 1.5,
    },
    "thanks": {"thank": 1.2, "thanks": 1.4, "thank you": 0.3, "appreciate": 1.8, "very kind": 1.5},
    "goodbye": {
        "goodbye": 3, "bye": 3, "good bye": 3, "good buy": 3, "see you": 2.5, "nice day": 2.2, "nice evening": 2.2,
        "good night": 2.2, "that's all": 1.6, "that is all": 1.6, "that was all": 1.6, "talk to you": 2,
    },
}  # fmt: skip
_QUIET = 1.0


class Evidence(NamedTuple):
    """How much speaks for an intent, and the cues that were heard."""

    intent: Intent
    weight: float
    cues: tuple[str, ...]


@lru_cache(maxsize=1024)
def weigh(words: str) -> tuple[Evidence, ...]:
    """The intents that `words` speak for, heaviest first; those with next to nothing are left out.

    Remembered, because every request takes all earlier turns of its conversation again.
    """
    heard = words.split()
    found = []
    for intent, cues in _CUES.items():
        weights = {cue: weight * _likeness_of(cue, heard) for cue, weight in cues.items()}
        cues_heard = _without_echoes({cue: weight for cue, weight in weights.items() if weight > 0}, heard)
        weight = sum(cues_heard.values())
        if weight >= _QUIET:
            found.append(Evidence(intent, weight, tuple(cues_heard)))
    return tuple(sorted(found, key=lambda evidence: -evidence.weight))


def _likeness_of(cue: str, heard: Sequence[str]) -> float:
    alike = phrase_likeness(heard, cue.split())
    return alike if alike >= HEARD else 0.0


def _without_echoes(weights: Mapping[str, float], heard: Sequence[str]) -> dict[str, float]:
    """The heaviest cue of one word for each word that was heard: "booking" must not count for "book" as well."""
    heaviest: dict[str, str] = {}
    for cue, weight in weights.items():
        if " " in cue:
            heaviest[cue] = cue
        else:
            word = max(heard, key=lambda word: likeness(word, cue))
            if word not in heaviest or weight > weights[heaviest[word]]:
                heaviest[word] = cue
    return {cue: weights[cue] for cue in heaviest.values()}


def hears(words: str, *phrases: str) -> bool:
    """Whether one of the `phrases` was said, in exactly these words."""
    return any(f" {phrase} " in f" {words} " for phrase in phrases)
