"""Tells words that are all there from words that may go on: what is expected, and said to its end."""

import re
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["WholePhrases"]

_PUNCTUATION = re.compile(r"[.,;:!?]")
_POLITE = re.compile(r"^(?:(?:yes|no|okay|well|hello|hi)\s+)?(.*?)(?:\s+(?:please|thanks|thank you))?$")


class WholePhrases:
    """What callers say: phrases with `$slot` placeholders, and the values of the slots. Used as `text in phrases`."""

    def __init__(self, phrases: Iterable[str], slots: Mapping[str, Sequence[str]]) -> None:
        self._values = {name: frozenset(values) for name, values in slots.items()}
        self._plain: set[str] = set()
        self._patterns: list[tuple[re.Pattern[str], tuple[str, ...]]] = []
        for phrase in phrases:
            self._learn(phrase)

    def __contains__(self, text: str) -> bool:
        said = " ".join(_PUNCTUATION.sub(" ", text.lower()).split())  # some recognisers write it
        courteous = _POLITE.match(said)
        return self._is_whole(said) or (courteous is not None and self._is_whole(courteous[1]))

    def _learn(self, phrase: str) -> None:
        words = phrase.split()
        slots = tuple(word[1:] for word in words if word.startswith("$"))
        if slots:
            pattern = " ".join("(.+?)" if word.startswith("$") else re.escape(word) for word in words)
            self._patterns.append((re.compile(pattern), slots))
        else:
            self._plain.add(phrase)

    def _is_whole(self, said: str) -> bool:
        return said in self._plain or any(self._fits(said, *each) for each in self._patterns)

    def _fits(self, said: str, pattern: re.Pattern[str], slots: tuple[str, ...]) -> bool:
        found = pattern.fullmatch(said)
        if found is None:
            return False
        return all(value in self._values[slot] for slot, value in zip(slots, found.groups(), strict=True))
