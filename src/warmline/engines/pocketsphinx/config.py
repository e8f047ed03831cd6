"""What callers are expected to say, and where what is derived from it is kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from warmline.engines.pocketsphinx.slots import ALONE, BUILT_IN_SLOTS
from warmline.errors import ConfigError

__all__ = ["PocketsphinxConfig"]

_WORD = re.compile(r"[a-z][a-z'.-]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PocketsphinxConfig:
    """`phrases`: what callers say, in spoken words, with `$slot` placeholders; `slots`: spoken values of slots.

    Numbers, times, days and names are known without being listed; values given here are added to them.

    Raises:
        ConfigError: a placeholder has no slot, or a word is none (digits, symbols).
    """

    phrases: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cache_dir: Path = Path("~/.cache/warmline/pocketsphinx")

    def __post_init__(self) -> None:
        slots = self.all_slots()
        for phrase in self.phrases:
            for token in phrase.split():
                if token.startswith("$") and token[1:] not in slots:
                    raise ConfigError(f"phrase {phrase!r}: there is no slot {token}; known: {', '.join(sorted(slots))}")
                _check_word(token.removeprefix("$").replace("_", ""), phrase)
        for values in self.slots.values():
            for value in values:
                for word in value.split():
                    _check_word(word, value)

    def all_slots(self) -> dict[str, tuple[str, ...]]:
        """Built-in values and the config's own, by slot."""
        names = [*BUILT_IN_SLOTS, *(name for name in self.slots if name not in BUILT_IN_SLOTS)]
        return {
            name: tuple(value.lower() for value in (*BUILT_IN_SLOTS.get(name, ()), *self.slots.get(name, ())))
            for name in names
        }

    def all_phrases(self) -> tuple[str, ...]:
        """The config's phrases, and those that answer a question in any conversation."""
        return (*(phrase.lower() for phrase in self.phrases), *ALONE)


def _check_word(word: str, where: str) -> None:
    if not _WORD.fullmatch(word):
        raise ConfigError(f"{where!r}: {word!r} is no spoken word; write numbers and signs as they are said")
