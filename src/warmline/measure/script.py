"""Call scripts: what a caller says, turn by turn, and what it expects to be told (TOML)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeGuard

from warmline.errors import ConfigError

__all__ = ["CallScript", "ScriptTurn", "Wording", "is_wording", "load_script"]

_MAX_SCRIPT_BYTES = 64 * 1024
_MAX_TURNS = 100
_MAX_TEXT_CHARS = 500
_MAX_PAUSE_SEC = 3600
_TURN_KEYS = frozenset({"say", "wav", "intent", "wording", "expect", "pause_sec"})
Wording = Literal["", "known", "unseen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTurn:
    """One thing to say. `expect` is searched for in the reply's text, ignoring case; `wav` holds it already spoken.

    The caller is silent for `pause_sec` before it, and then never interrupts the answer before.
    """

    say: str
    intent: str = ""
    wording: Wording = ""
    expect: re.Pattern[str] | None = None
    wav: Path | None = None
    pause_sec: float = 0.0


@dataclass(frozen=True, slots=True)
class CallScript:
    """A whole call."""

    name: str
    turns: tuple[ScriptTurn, ...]


def load_script(path: Path) -> CallScript:
    """Read a script: `name`, and `[[turns]]` of `say`, optionally `intent`, `wording`, `expect`, `wav` (a file),
    `pause_sec`.

    Raises:
        ConfigError: it cannot be read, is over 64 KiB, or something in it is wrong; names the file and the key.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SCRIPT_BYTES + 1)
        if len(content) > _MAX_SCRIPT_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_SCRIPT_BYTES // 1024} KiB")
        document = tomllib.loads(content.decode())
    except (OSError, ValueError) as failure:
        raise ConfigError(f"{path}: {failure}") from failure
    turns = document.get("turns")
    if not isinstance(turns, list) or not 0 < len(turns) <= _MAX_TURNS:
        raise ConfigError(f"{path}: expected 1 to {_MAX_TURNS} tables [[turns]]")
    name = _text(document, "name", f"{path}") or path.stem
    return CallScript(name, tuple(_turn(turn, path, number) for number, turn in enumerate(turns, 1)))


def is_wording(value: str) -> TypeGuard[Wording]:
    """Whether this is one of the wordings."""
    return value in ("", "known", "unseen")


def _turn(table: object, path: Path, number: int) -> ScriptTurn:
    where = f"{path}: turns[{number}]"
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: expected a table, found {table!r}")
    if unknown := sorted(set(table) - _TURN_KEYS):
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_TURN_KEYS))}")
    say = _text(table, "say", where)
    wav = _text(table, "wav", where)
    wording = _text(table, "wording", where)
    if not say:
        raise ConfigError(f"{where}.say: expected what to say, found nothing")
    if not is_wording(wording):
        raise ConfigError(f"{where}.wording: expected 'known' or 'unseen', found {wording!r}")
    return ScriptTurn(
        say=say,
        intent=_text(table, "intent", where),
        wording=wording,
        expect=_pattern(_text(table, "expect", where), f"{where}.expect"),
        wav=path.parent / wav if wav else None,
        pause_sec=_seconds(table, "pause_sec", where),
    )


def _seconds(table: Mapping[str, object], key: str, where: str) -> float:
    value = table.get(key, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_PAUSE_SEC:
        raise ConfigError(f"{where}.{key}: expected seconds from 0 to {_MAX_PAUSE_SEC}, found {value!r:.60}")
    return float(value)


def _text(table: Mapping[str, object], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or len(value) > _MAX_TEXT_CHARS:
        raise ConfigError(f"{where}.{key}: expected text of at most {_MAX_TEXT_CHARS} characters, found {value!r:.60}")
    return value


def _pattern(expression: str, where: str) -> re.Pattern[str] | None:
    try:
        return re.compile(expression, re.IGNORECASE) if expression else None
    except re.error as failure:
        raise ConfigError(f"{where}: no regular expression: {failure}") from failure
