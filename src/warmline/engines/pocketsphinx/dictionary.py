"""How words are pronounced: from the recogniser's dictionary, and by rule where it has none."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["dictionary_text", "pronounce_by_rule", "read_dictionary"]

_ALTERNATIVE = re.compile(r"\(\d+\)$")
# Longest spellings first. A crude account of English, for names that no dictionary has: the language model makes up
# for much of what it gets wrong.
_SOUNDS: tuple[tuple[str, str], ...] = (
    ("tion", "SH AH N"), ("ough", "AO"), ("eigh", "EY"), ("tch", "CH"), ("igh", "AY"), ("sch", "SH"), ("dge", "JH"),
    ("ch", "CH"), ("sh", "SH"), ("th", "TH"), ("ph", "F"), ("wh", "W"), ("ck", "K"), ("qu", "K W"), ("ng", "NG"),
    ("ee", "IY"), ("ea", "IY"), ("oo", "UW"), ("ou", "AW"), ("ow", "OW"), ("ai", "EY"), ("ay", "EY"), ("oa", "OW"),
    ("oi", "OY"), ("oy", "OY"), ("au", "AO"), ("aw", "AO"), ("ie", "IY"), ("er", "ER"), ("ir", "ER"), ("ur", "ER"),
    ("ar", "AA R"), ("or", "AO R"), ("a", "AE"), ("b", "B"), ("c", "K"), ("d", "D"), ("e", "EH"), ("f", "F"),
    ("g", "G"), ("h", "HH"), ("i", "IH"), ("j", "JH"), ("k", "K"), ("l", "L"), ("m", "M"), ("n", "N"), ("o", "AA"),
    ("p", "P"), ("q", "K"), ("r", "R"), ("s", "S"), ("t", "T"), ("u", "AH"), ("v", "V"), ("w", "W"), ("x", "K S"),
    ("y", "IY"), ("z", "Z"),
)  # fmt: skip


def read_dictionary(path: Path) -> dict[str, list[str]]:
    """Every word of a CMU-style dictionary with its pronunciations, the usual one first."""
    pronunciations: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, phones = line.partition(" ")
        pronunciations.setdefault(_ALTERNATIVE.sub("", word), []).append(phones.strip())
    return pronunciations


def dictionary_text(words: Iterable[str], pronunciations: Mapping[str, list[str]]) -> str:
    """A dictionary of just these words; those that `pronunciations` lacks are pronounced by rule."""
    lines = []
    for word in sorted(set(words)):
        for number, phones in enumerate(pronunciations.get(word) or [pronounce_by_rule(word)], 1):
            lines.append(f"{word} {phones}" if number == 1 else f"{word}({number}) {phones}")
    return "\n".join([*lines, ""])


def pronounce_by_rule(word: str) -> str:
    """Phones of a word that no dictionary has, read letter by letter and by common spellings."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    if len(letters) > 3 and letters.endswith("e") and not letters.endswith("ie"):
        letters = letters[:-1]  # silent
    phones: list[str] = []
    while letters:
        spelling, sound = next(each for each in _SOUNDS if letters.startswith(each[0]))
        if not (phones and phones[-1] == sound and len(spelling) == 1):  # a doubled letter sounds once
            phones.append(sound)
        letters = letters[len(spelling) :]
    return " ".join(phones) or "AH"
