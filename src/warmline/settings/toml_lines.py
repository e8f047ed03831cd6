"""On which line of a TOML text a key or an array element stands: tomllib tells only for syntax errors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["KeyPath", "toml_lines"]

KeyPath = tuple[str | int, ...]

# The tokens of TOML 1.0 (https://toml.io/en/v1.0.0), as coarse as finding keys allows.
_TOKEN = re.compile(
    r'''(?P<text>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')'''
    r"""|(?P<skip>\#[^\n]*|[ \t\r]+)|(?P<newline>\n)|(?P<mark>[\[\]{}=,.])|(?P<bare>[^\s\[\]{}=,.\#"']+)""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def toml_lines(text: str) -> dict[KeyPath, int]:
    """Map every key, table and array element of a *valid* TOML text to its line (from 1).

    A path reads like an access to the parsed document: `("facts", 2, "text")`. A key with escapes in its quotes is
    listed as written.
    """
    return _Reader(list(_tokens(text))).read()


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup and match.lastgroup != "skip":
            yield _Token(match.lastgroup, match.group(), line)
        line += match.group().count("\n")


@dataclass(slots=True)
class _Reader:
    tokens: list[_Token]
    at: int = 0
    lines: dict[KeyPath, int] = field(default_factory=dict)
    tables_in: dict[KeyPath, int] = field(default_factory=dict)

    def read(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self.at < len(self.tokens):
            if self._is("["):
                table = self._header()
            elif not self._accept("newline"):
                self._pair(table)
        return self.lines

    def _is(self, text: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].text == text

    def _accept(self, kind: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at].kind == kind
        self.at += found
        return found

    def _mark(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.tokens[self.at].line)

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`; returns the table that it opens."""
        start = self.tokens[self.at].line
        depth = 2 if self.tokens[self.at + 1].text == "[" else 1
        self.at += depth
        path = self._dotted_key(())
        self.at += depth
        if depth == 2:
            self.tables_in[path] = self.tables_in.get(path, -1) + 1
        path = self._current(path)
        self.lines.setdefault(path, start)
        return path

    def _dotted_key(self, table: KeyPath) -> KeyPath:
        path = (*table, self._key(table))
        while self._is("."):
            self.at += 1
            path = self._current(path)
            path = (*path, self._key(path))
        return path

    def _current(self, path: KeyPath) -> KeyPath:
        """A header below an array of tables means its last element."""
        return (*path, self.tables_in[path]) if path in self.tables_in else path

    def _key(self, table: KeyPath) -> str:
        token = self.tokens[self.at]
        key = token.text[1:-1] if token.kind == "text" else token.text
        self._mark((*table, key))
        self.at += 1
        return key

    def _pair(self, table: KeyPath) -> None:
        path = self._dotted_key(table)
        self.at += 1
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._is("["):
            self._array(path)
        elif self._is("{"):
            self._inline_table(path)
        else:
            while self.at < len(self.tokens) and not self._is_end():
                self.at += 1

    def _is_end(self) -> bool:
        token = self.tokens[self.at]
        return token.kind == "newline" or token.text in {",", "]", "}"}

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while not self._is("]"):
            if self._is(","):
                self.at += 1
                index += 1
            elif not self._accept("newline"):
                self._mark((*path, index))
                self._value((*path, index))
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while not self._is("}"):
            if self._is(",") or self.tokens[self.at].kind == "newline":
                self.at += 1
            else:
                self._pair(path)
        self.at += 1
