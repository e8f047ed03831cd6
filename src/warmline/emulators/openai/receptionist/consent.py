"""Yes or no, in the many ways of saying so."""

from typing import Literal

from warmline.emulators.openai.receptionist.cues import hears

__all__ = ["Consent", "consent_in"]

Consent = Literal["yes", "no"]

_NO = ("no", "nope", "not", "wrong", "don't", "nah", "incorrect", "never")
_NOT_NO = ("no problem", "why not", "not bad", "no doubt")
_YES = (
    "yes", "yeah", "yep", "yup", "right", "correct", "sure", "okay", "ok", "perfect", "exactly", "fine", "please",
    "great",
    "absolutely", "of course", "indeed", "good", "certainly", "definitely", "go ahead", "do that", "do it", "book it",
)  # fmt: skip
# Recognisers write these for a lone "yes" or "no".
_LIKE_YES = frozenset({"yet", "guess", "jess", "chess", "yes's", "s", "this", "less"})
_LIKE_NO = frozenset({"know", "now", "oh", "note", "gnome"})


def consent_in(words: str) -> Consent | None:
    """Whether `words` agree or refuse; None when they do neither."""
    if hears(words, *_NOT_NO):
        return "yes"
    if hears(words, *_NO) or words.split()[:1] == ["know"] or words in _LIKE_NO:
        return "no"
    first = words.split()[:1]
    return "yes" if hears(words, *_YES) or (first and first[0] in _LIKE_YES) else None
