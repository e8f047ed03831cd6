"""Yes or no, in the many ways of saying so."""

from typing import Literal

from warmline.emulators.openai.receptionist.cues import hears

__all__ = ["Consent", "consent_in"]

Consent = Literal["yes", "no"]

_NO = frozenset({"no", "nope", "nah"})
# These refuse wherever they stand: "yes, but the day is wrong".
_WRONG = ("not", "wrong", "incorrect", "don't")
_YES = frozenset(
    {
        "yes",
        "yeah",
        "yep",
        "yup",
        "right",
        "correct",
        "sure",
        "okay",
        "ok",
        "perfect",
        "exactly",
        "fine",
        "please",
        "great",
    }
    | {"absolutely", "indeed", "good", "certainly", "definitely", "course"}
)
_YES_PHRASES = ("no problem", "why not", "not bad", "no doubt", "go ahead", "do that", "do it", "book it")
# Recognisers write these for a lone "yes" or "no".
_LIKE_YES = frozenset({"yet", "guess", "jess", "chess", "yes's", "s", "this", "less"})
_LIKE_NO = frozenset({"know", "now", "oh", "note", "gnome"})


def consent_in(words: str) -> Consent | None:
    """Whether `words` agree or refuse; None when they do neither. The first of a yes and a no counts."""
    if hears(words, *_YES_PHRASES):
        return "yes"
    if hears(words, *_WRONG) or words in _LIKE_NO:
        return "no"
    if words.split()[:1] and words.split()[0] in _LIKE_YES:
        return "yes"
    decisive = next((word for word in words.split() if word in _YES | _NO), None)
    return None if decisive is None else "no" if decisive in _NO else "yes"
