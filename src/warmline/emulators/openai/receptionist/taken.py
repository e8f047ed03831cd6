"""A value found in spoken words, and what is left of them: what was understood once is not understood twice."""

import re
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["GAP", "Taken", "last_match"]

# Stands where words were taken out, so that their neighbours do not seem to be spoken together.
GAP = ";"


class Taken(NamedTuple):
    """`value` (None: not there) and the words that are `left`."""

    value: str | None
    left: str


def last_match(pattern: re.Pattern[str], words: str, read: Callable[[re.Match[str]], str]) -> Taken:
    """What `read` makes of the last match that no "not" stands before: who corrects himself means what he says last."""
    value = None
    for match in pattern.finditer(words):
        if not words[: match.start()].endswith(("not ", "not at ", "not on ", "not for ")):
            value = read(match)
    return Taken(value, " ".join(pattern.sub(f" {GAP} ", words).split()))
