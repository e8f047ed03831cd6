"""The day that somebody names: today, tomorrow evening, next Friday, the fifth of June."""

import re

from warmline.emulators.openai.receptionist.taken import Taken, last_match
from warmline.engines.sound_alike import likeness

__all__ = ["find_day"]

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_UNIT_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth"
_ORDINALS = f"{_UNIT_ORDINALS} tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth"
_ORDINALS += " nineteenth twentieth thirtieth"

_PART = r"(?: (?:morning|afternoon|evening|night))?"
_ORDINAL = rf"(?:(?:twenty|thirty) )?(?:{'|'.join(_ORDINALS.split())})"
_MONTH = "|".join(_MONTHS)
_DAY = re.compile(
    rf"\b(?:the day after tomorrow|(?:today|tomorrow){_PART}|tonight|(?:this|next) week ?end"
    rf"|(?:this evening|this afternoon)|(?:(?:next|this) )?(?:{'|'.join(_WEEKDAYS)}){_PART}"
    rf"|the {_ORDINAL} of (?:{_MONTH})|{_ORDINAL} of (?:{_MONTH})|(?:{_MONTH}) (?:the )?{_ORDINAL}|the {_ORDINAL})\b"
)
_IN_TWO_WORDS = re.compile(r"\b(\w+) day\b")
# A weekday has six letters or more: below this likeness, Sunday would be Monday's.
_SURELY = 0.86


def find_day(words: str) -> Taken:
    """The last day named in `words` that "not" does not refuse, as spoken, and the words without any day."""
    return last_match(_DAY, _repaired(words), lambda match: match.group())


def _repaired(words: str) -> str:
    """With days that were heard in two words, or nearly right, put right."""
    joined = _IN_TWO_WORDS.sub(lambda match: _weekday(match.group(1) + "day") or match.group(), words)
    return " ".join(_weekday(word) or word for word in joined.split())


def _weekday(word: str) -> str | None:
    days = {day: likeness(word, day) for day in (*_WEEKDAYS, "tomorrow", "tonight")}
    best = max(days, key=lambda day: days[day])
    return best if days[best] >= _SURELY else None
