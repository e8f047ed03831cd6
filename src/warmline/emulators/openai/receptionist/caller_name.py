"""The name that somebody gives."""

import re

from warmline.emulators.openai.receptionist.taken import GAP, Taken
from warmline.emulators.openai.receptionist.words import NUMBERS

__all__ = ["find_bare_name", "find_name"]

_LEAD = re.compile(
    r"\b(?:(?:my|the|a|her|his) name(?:'s)?(?: (?:is|was|as|his|would be|should be))?"
    r"|under(?: the)?(?: name)?(?: of)?|(?:in|on) the name(?: of)?|name of|name is) (?P<rest>.+)"
)
_BARE_LEAD = re.compile(r".*\b(?:this is|it's|it is|i'm|i am|call me|that's|that is|write down|put down) (?P<rest>.+)")
_EVERYDAY_WORDS = (
    "a about actually again all also am an and anything are as at be been booking but by call can can't cancel could "
    "day did do don't down er evening everything fine for from full get good great had has have hello here hi how i "
    "i'd i'll i'm idea if in is it it's just know last let like make maybe me my name need next night no not now of "
    "off oh ok okay on one or our out people please put question really right said say should so sorry sure table "
    "take tell than thank thanks that that's the their them then there they thing this time to today tomorrow uh um "
    "under up us very much want was we we're well were what when where which who why will with won't would write wrong "
    "yeah yes yet you your course"
)
_NO_NAME = frozenset(_EVERYDAY_WORDS.split()) | NUMBERS.keys()
_LONGEST = 3


def find_name(words: str) -> Taken:
    """The name in words that announce one ("my name is ..."), and the words before."""
    match = _LEAD.search(words)
    name = _leading_name(match["rest"]) if match else None
    return Taken(name, words[: match.start()].strip() if match and name else words)


def find_bare_name(words: str) -> Taken:
    """The same for somebody who was asked for a name: what is left besides everyday words will do."""
    match = _BARE_LEAD.match(words)
    name = _leading_name(match["rest"]) if match else None
    if not name:
        rest = [word for word in words.split() if word not in _NO_NAME and word != GAP]
        name = " ".join(rest[-2:]) or None
    return Taken(name, "" if name else words)


def _leading_name(words: str) -> str | None:
    name: list[str] = []
    for word in words.split():
        if word in _NO_NAME or word == GAP:
            if name:
                break
            continue
        name.append(word)
    return " ".join(name[:_LONGEST]) or None
