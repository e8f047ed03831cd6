"""The parsed document of a scenario, key by key: each is checked, and what is wrong is answered with file and line."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import NoReturn

from warmline.errors import ConfigError
from warmline.settings.toml_lines import KeyPath

__all__ = ["ScenarioDocument"]

_TOP = ("name", "greeting", "apology", "system_prompt", "facts", "phrases", "slots")
_FACT = ("topic", "keywords", "text")
_MAX_FACTS = 100
_MAX_INTENTS = 64
_MAX_SLOTS = 32
_MAX_KEYWORDS = 40
_MAX_PHRASES = 200
_MAX_VALUES = 500
_SPOKEN = re.compile(r"[a-z][a-z']*( [a-z][a-z']*)*")
_LABEL = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class ScenarioDocument:
    """`content` as tomllib parsed it, and the `lines` on which its keys stand in `file`."""

    file: str
    content: Mapping[str, object]
    lines: Mapping[KeyPath, int]

    def refuse_unknown_keys(self) -> None:
        """Raises ConfigError: a key at the top is none of a scenario."""
        self._only_known((), self.content, _TOP)

    def line_of_text(self, key: str, at_most: int, otherwise: str | None = None) -> str:
        """A text of one line; required, unless there is one to take `otherwise`."""
        if otherwise is not None and key not in self.content:
            return otherwise
        text = self.prose(key, at_most)
        if "\n" in text:
            self._fail((key,), "must be one line")
        return text

    def prose(self, key: str, at_most: int) -> str:
        """A required text."""
        if key not in self.content:
            raise ConfigError(f"{self.file}: {key} is missing")
        return self._text((key,), self.content[key], at_most)

    def facts(self) -> list[tuple[str, tuple[str, ...], str]]:
        """Topic, keywords and text of each fact."""
        found = self._list(("facts",), self.content.get("facts", []), _MAX_FACTS)
        facts = [self._fact(("facts", index), fact) for index, fact in enumerate(found)]
        topics = [topic for topic, _, _ in facts]
        for index, topic in enumerate(topics):
            if topic in topics[:index]:
                self._fail(("facts", index, "topic"), f"there are two facts on {topic!r}")
        return facts

    def phrases(self) -> dict[str, tuple[str, ...]]:
        """Phrases by intent."""
        return {
            intent: tuple(self._phrase(("phrases", intent, n), phrase) for n, phrase in enumerate(phrases))
            for intent, phrases in self._lists("phrases", _MAX_INTENTS, _MAX_PHRASES).items()
        }

    def slots(self) -> dict[str, tuple[str, ...]]:
        """Values by slot."""
        return {
            slot: tuple(self._spoken(("slots", slot, n), value, 60) for n, value in enumerate(values))
            for slot, values in self._lists("slots", _MAX_SLOTS, _MAX_VALUES).items()
        }

    def _fact(self, path: KeyPath, fact: object) -> tuple[str, tuple[str, ...], str]:
        table = self._table(path, fact)
        self._only_known(path, table, _FACT)
        for key in _FACT:
            if key not in table:
                self._fail(path, f"{key} is missing")
        keywords = self._list((*path, "keywords"), table["keywords"], _MAX_KEYWORDS)
        if not keywords:
            self._fail((*path, "keywords"), "must have at least one keyword: by these the fact is found")
        text = self._text((*path, "text"), table["text"], 600)
        if "\n" in text:
            self._fail((*path, "text"), "must be one line: it is spoken")
        return (
            self._spoken((*path, "topic"), table["topic"], 60),
            tuple(self._spoken((*path, "keywords", n), keyword, 60) for n, keyword in enumerate(keywords)),
            text,
        )

    def _phrase(self, path: KeyPath, phrase: object) -> str:
        text = self._text(path, phrase, 200)
        template = Template(text)
        if not template.is_valid():
            self._fail(path, f"{text!r} has a $ that begins no slot name")
        for slot in template.get_identifiers():
            if not _LABEL.fullmatch(slot):
                self._fail(path, f"${slot} is no slot name (lower-case letters, digits and _)")
        words = template.substitute(dict.fromkeys(template.get_identifiers(), "slot"))
        self._spoken(path, words, 400, shown=text)
        return text

    def _lists(self, key: str, max_keys: int, max_each: int) -> dict[str, Sequence[object]]:
        table = self._table((key,), self.content.get(key, {}))
        if len(table) > max_keys:
            self._fail((key,), f"has {len(table)} entries; at most {max_keys} are taken")
        for label in table:
            if not _LABEL.fullmatch(label):
                self._fail((key, label), "a name here has lower-case letters, digits and _ (at most 40)")
        return {label: self._list((key, label), values, max_each) for label, values in table.items()}

    def _spoken(self, path: KeyPath, value: object, at_most: int, shown: str | None = None) -> str:
        text = self._text(path, value, at_most)
        if not _SPOKEN.fullmatch(text):
            self._fail(path, f"{shown or text!r} is not spoken words: a-z and ', lower case, no digits or punctuation")
        return text

    def _text(self, path: KeyPath, value: object, at_most: int) -> str:
        if not isinstance(value, str):
            self._fail(path, f"must be a text, not {_kind(value)}")
        text = value.strip()
        if not text:
            self._fail(path, "must not be empty")
        if len(text) > at_most:
            self._fail(path, f"has {len(text)} characters; at most {at_most} are taken")
        if not all(character.isprintable() or character == "\n" for character in text):
            self._fail(path, "has a control character")
        return text

    def _list(self, path: KeyPath, value: object, at_most: int) -> list[object]:
        if not isinstance(value, list):
            self._fail(path, f"must be a list, not {_kind(value)}")
        if len(value) > at_most:
            self._fail(path, f"has {len(value)} entries; at most {at_most} are taken")
        return value

    def _table(self, path: KeyPath, value: object) -> Mapping[str, object]:
        if not isinstance(value, dict):
            self._fail(path, f"must be a table, not {_kind(value)}")
        return value

    def _only_known(self, path: KeyPath, table: Mapping[str, object], known: Collection[str]) -> None:
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
                self._fail((*path, key), f"unknown key; {hint}")

    def _fail(self, path: KeyPath, problem: str) -> NoReturn:
        inner = path
        while inner and inner not in self.lines:
            inner = inner[:-1]
        line = f":{self.lines[inner]}" if inner else ""
        raise ConfigError(f"{self.file}{line}: {_dotted(path)}: {problem}")


def _dotted(path: KeyPath) -> str:
    """`facts[2].text`; list positions count from 0, as in the parsed document."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{_shown(step)}" for step in path).removeprefix(".")


def _shown(key: str) -> str:
    return key if _LABEL.fullmatch(key) else repr(key[:60])


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")
