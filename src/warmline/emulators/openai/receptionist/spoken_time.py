"""The time of day that somebody names, in the ways people say it."""

import re

from warmline.emulators.openai.receptionist.taken import Taken, last_match
from warmline.emulators.openai.receptionist.words import HOURS, NUMBERS, number_word
from warmline.engines.sound_alike import HEARD, likeness

__all__ = ["find_bare_time", "find_time"]

# What recognisers write for an hour, where only an hour can stand.
_ALIKE = {"won": "one", "to": "two", "too": "two", "tree": "three", "for": "four", "fore": "four", "fife": "five",
          "sex": "six", "ate": "eight", "nein": "nine", "tin": "ten"}  # fmt: skip
_HOUR = "|".join((*HOURS, *(word for word in _ALIKE if word not in {"to", "too", "for"})))
_ANY_HOUR = "|".join((*HOURS, *_ALIKE))
_MINUTES = "oh five|ten|fifteen|twenty five|twenty|thirty five|thirty|dirty|forty five|forty|fifty five|fifty"
_PEOPLE = r"(?! (?:people|persons?|guests?|adults?|of us|children|kids))"
_PART = r"(?: (?:(?:in|and|on) the (?P<part>morning|afternoon|evening)|(?P<meridiem>am|pm)))?"

_TIME = re.compile(
    rf"\b(?:at |around |about |by )*(?:"
    rf"(?P<noon>noon|midday|midnight)"
    rf"|(?:half|have|halve) (?:past|passed|pass|pasta|paths) (?P<half>{_ANY_HOUR}){_PEOPLE}"
    rf"|quarter (?P<side>past|passed|after|to|two|too|till) (?P<quarter>{_ANY_HOUR})"
    rf"|(?P<few>five|ten|twenty five|twenty) (?:minutes )?(?P<few_side>past|passed|to) (?P<few_hour>{_HOUR})"
    rf"|(?P<exact>{_HOUR}) (?P<minutes>{_MINUTES}){_PEOPLE}(?: oclock)?"
    rf"|(?P<clock>{_ANY_HOUR}) (?:oclock|clock)"
    rf"|(?P<marked>{_HOUR})(?= (?:am|pm|in the (?:morning|afternoon|evening))\b)"
    rf"|(?<=\bat )(?P<at>{_ANY_HOUR}){_PEOPLE}|(?<=around )(?P<around>{_HOUR}){_PEOPLE}"
    rf"|(?<=about )(?P<about>{_HOUR}){_PEOPLE}|(?<=\bby )(?P<by>{_HOUR}){_PEOPLE}"
    rf"){_PART}\b"
)
_WHOLE_HOURS = ("clock", "marked", "at", "around", "about", "by")


def find_time(words: str) -> Taken:
    """The last time named in `words` beyond doubt, as one would say it, and the words without any time."""
    return last_match(_TIME, words, _read)


def find_bare_time(words: str) -> Taken:
    """The same for somebody who was asked for a time: a bare number will do, or a word that sounds like one."""
    heard = words.split()
    for place in reversed(range(len(heard))):
        hour = _hour_like(heard[place], alone=len(heard) == 1)
        if hour and heard[place - 1 : place] != ["not"]:
            return Taken(hour, " ".join(heard[:place] + heard[place + 1 :]))
    return Taken(None, words)


def _hour_like(word: str, *, alone: bool) -> str | None:
    if word in HOURS:
        return word
    if word in _ALIKE and (alone or word not in {"to", "too", "for"}):
        return _ALIKE[word]
    return next((hour for hour in HOURS if len(hour) > 3 and likeness(word, hour) >= HEARD), None)


def _read(match: re.Match[str]) -> str:
    part = match["part"] or {"am": "morning", None: None}.get(match["meridiem"], "pm")
    whole = next((match[name] for name in _WHOLE_HOURS if match[name]), None)
    if match["noon"]:
        return "noon" if match["noon"] == "midday" else match["noon"]
    if match["half"]:
        spoken = f"half past {_hour(match['half'])}"
    elif match["quarter"]:
        side = "past" if match["side"] in {"past", "passed", "after"} else "to"
        spoken = f"quarter {side} {_hour(match['quarter'])}"
    elif match["few"]:
        spoken = f"{match['few']} {'to' if match['few_side'] == 'to' else 'past'} {_hour(match['few_hour'])}"
    elif match["exact"]:
        spoken = _exact(_hour(match["exact"]), match["minutes"].replace("dirty", "thirty"))
    else:
        spoken = _hour(whole or "")
    return spoken + _part(part, spoken)


def _exact(hour: str, minutes: str) -> str:
    after = number_word(NUMBERS[hour] % 12 + 1)
    said = {"fifteen": f"quarter past {hour}", "thirty": f"half past {hour}", "forty five": f"quarter to {after}"}
    return said.get(minutes, f"{hour} {minutes}")


def _part(part: str | None, spoken: str) -> str:
    if part == "pm":
        part = "afternoon" if spoken.split()[-1] in {"twelve", "one", "two", "three", "four", "five"} else "evening"
    return f" in the {part}" if part else ""


def _hour(word: str) -> str:
    return _ALIKE.get(word, word)
