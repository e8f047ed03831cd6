"""How alike two words sound: for whoever has to read a speech recogniser's mistakes."""

from collections.abc import Sequence
from functools import lru_cache

import jellyfish

__all__ = ["HEARD", "likeness", "phrase_likeness"]

# From this likeness on, one word is taken for the other.
HEARD = 0.82

# Words that recognisers confuse although neither spelling nor Metaphone shows it: they sound the same, or nearly so.
_HOMOPHONES = (
    ("hour", "our"),
    ("hours", "ours"),
    ("for", "four", "fore"),
    ("to", "two", "too"),
    ("eight", "ate"),
    ("one", "won"),
    ("where", "wear", "were", "where's"),
    ("no", "know"),
    ("kids", "kid's"),
    ("pay", "pays", "paid"),
    ("dog", "dug", "doc"),
    ("pet", "pat"),
    ("bus", "buzz"),
    ("car", "care"),
    ("tram", "tramp"),
)
_SOUND = {word: sound for sound in _HOMOPHONES for word in sound}
# Everyday words: when one of these was heard it was probably said, so a mere resemblance to it means nothing.
_EVERYDAY_WORDS = (
    "a about again all already also am an and any are as at back bad be been big but by can could day did do does "
    "doing each evening ever every find first for friend friends from get give go going good great had has have he "
    "hear hello help her here hi him his how i if in into is it its just know last later like little long look lot "
    "make many may me more morning much must my name need never new next nice night no not now of off okay old on "
    "once one only or other our out over own party please put really right room said same say see she should so some "
    "soon start still story such sure take talk tell than thank thanks that the their them then there these they "
    "thing think this those time to today told too two up us use very want was way we well were what when where which "
    "speaking talking who why will with work working would wrong year yes yet you your i'd i'll i'm it's that's we're"
)
_EVERYDAY = frozenset(_EVERYDAY_WORDS.split())
# No word that is meant is longer, and comparing takes the square of the length.
_LONGEST = 30


@lru_cache(maxsize=16384)
def likeness(heard: str, meant: str) -> float:
    """0..1: how probable it is that `heard` stands for `meant` (1 is the same word; from `HEARD` on it counts).

    The mean of two Jaro similarities: of the spellings, and of the Metaphone codes (Philips 1990), which drop
    what English spelling hides from the ear. Words of up to three letters are too short for resemblance to mean
    anything: they must sound the same. So are, for each other, words of very different length.
    """
    if heard == meant:
        return 1.0
    if heard in _SOUND and meant in _SOUND[heard]:
        return 0.95
    if heard in _EVERYDAY or meant in _EVERYDAY:
        return 0.0
    shorter, longer = (heard, meant) if len(heard) < len(meant) else (meant, heard)
    if len(longer) > _LONGEST:
        return 0.0
    if len(shorter) < 0.65 * len(longer) and not longer.startswith(shorter[:4]):
        return 0.0
    codes = _code(heard), _code(meant)
    if len(shorter) <= 3:
        return 0.85 if codes[0] == codes[1] and heard[0] == meant[0] else 0.0
    return (jellyfish.jaro_similarity(heard, meant) + jellyfish.jaro_similarity(*codes)) / 2


_code = lru_cache(maxsize=4096)(jellyfish.metaphone)


def phrase_likeness(heard: Sequence[str], meant: Sequence[str]) -> float:
    """Likeness of the worst word of the phrase `meant`, where in `heard` it fits best; 0 when its first is not there.

    Its words must come in order, with at most one other word between two: recognisers drop and add small words.
    """
    starts = (place for place, word in enumerate(heard) if likeness(word, meant[0]) >= HEARD)
    return max((_likeness_from(heard, start, meant) for start in starts), default=0.0)


def _likeness_from(heard: Sequence[str], start: int, meant: Sequence[str]) -> float:
    worst, at = likeness(heard[start], meant[0]), start
    for word in meant[1:]:
        following = {place: likeness(heard[place], word) for place in range(at + 1, min(at + 3, len(heard)))}
        at = max(following, key=lambda place: following[place], default=at)
        worst = min(worst, following.get(at, 0.0))
    return worst
