"""How many people somebody comes with."""

import re

from warmline.emulators.openai.receptionist.taken import Taken, last_match
from warmline.emulators.openai.receptionist.words import NUMBERS, number_word
from warmline.engines.sound_alike import HEARD, likeness

__all__ = ["find_bare_party_size", "find_party_size"]

# What recognisers write for a number, where only a number can stand.
_ALIKE = {
    "won": 1,
    "to": 2,
    "too": 2,
    "tree": 3,
    "for": 4,
    "fore": 4,
    "fife": 5,
    "sex": 6,
    "ate": 8,
    "nein": 9,
    "tin": 10,
}
_SIZES = {word: number for word, number in NUMBERS.items() if 1 <= number <= 20}
_NUMBER = "|".join(_SIZES)
_ANY_NUMBER = "|".join((*_SIZES, *_ALIKE))
_COMPANY = r"(?:wife|husband|partner|friend|girlfriend|boyfriend|mother|father|boss|colleague)"

_SIZE = re.compile(
    rf"\b(?:"
    rf"(?:for )?(?P<adults>{_NUMBER}) (?:adults?|grown ups) (?:and|with) "
    rf"(?P<children>{_NUMBER}) (?:children|kids|child|kid)"
    rf"|(?:for )?(?P<counted>{_NUMBER}) (?:more )?(?:people|persons?|guests?|adults?|of us|diners)"
    rf"|(?P<miscounted>{_ANY_NUMBER}) (?:people|persons?|of us)"
    rf"|(?:party|group|table|tables|reservation) (?:for|four|of|before) (?P<party>{_ANY_NUMBER})"
    rf"|(?:we are|we're|were|we will be|we'll be|will be|there are|there will be) (?P<we>{_ANY_NUMBER})(?! (?:;|going))"
    rf"|(?:for|four) (?P<for>{_ANY_NUMBER})"
    rf"|(?P<one>just me|only me|just for me|just myself|only myself|by myself|alone|on my own)"
    rf"|(?P<two>my {_COMPANY} and (?:i|me|myself)|(?:me|i) and my {_COMPANY}|a couple)"
    rf")\b"
)


def find_party_size(words: str) -> Taken:
    """The number of people named in `words` beyond doubt, in words, and what is left. Take days and times out first."""
    repaired = " ".join("people" if likeness(word, "people") >= HEARD else word for word in words.split())
    return last_match(_SIZE, repaired, _read)


def find_bare_party_size(words: str) -> Taken:
    """The same for somebody who was asked for it: a bare number will do, or a word that sounds like one."""
    heard = words.split()
    for place in reversed(range(len(heard))):
        number = _SIZES.get(heard[place]) or (_ALIKE.get(heard[place]) if len(heard) <= 2 else None)
        if number and heard[place - 1 : place] != ["not"]:
            return Taken(number_word(number), " ".join(heard[:place] + heard[place + 1 :]))
    return Taken(None, words)


def _read(match: re.Match[str]) -> str:
    if match["one"]:
        return "one"
    if match["two"]:
        return "two"
    if match["adults"]:
        return number_word(_SIZES[match["adults"]] + _SIZES[match["children"]])
    word = next(match[name] for name in ("counted", "miscounted", "party", "we", "for") if match[name])
    return number_word((_SIZES | _ALIKE)[word])
