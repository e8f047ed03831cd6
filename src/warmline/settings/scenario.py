"""The scenario that an agent plays: who it is, what it knows, and what its callers say; read from a TOML file."""

import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from warmline.errors import ConfigError
from warmline.settings.scenario_document import ScenarioDocument
from warmline.settings.toml_lines import toml_lines

__all__ = ["MAX_SCENARIO_BYTES", "Fact", "Scenario", "load_scenario"]

MAX_SCENARIO_BYTES = 64 * 1024

_DEFAULT = Path(__file__).with_name("default_scenario.toml")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to tell callers (`text`, as spoken) when one of the `keywords` is heard."""

    topic: str
    keywords: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A part to play on the phone.

    `system_prompt` is the short core prompt of every request; of `facts`, a request has those that the turn needs.
    `phrases` maps an intent to what callers say for it, in spoken words, with `$slot` placeholders
    (`string.Template`); `slots` maps a slot to its values, in spoken words.
    """

    name: str
    greeting: str
    system_prompt: str
    facts: tuple[Fact, ...]
    phrases: Mapping[str, tuple[str, ...]]
    slots: Mapping[str, tuple[str, ...]]


def load_scenario(path: Path | None = None) -> Scenario:
    """Read the scenario at `path`; None reads the one that comes with Warmline.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong; names file, line and key.
    """
    source = _DEFAULT if path is None else path
    text = _read(source)
    try:
        document = ScenarioDocument(str(source), tomllib.loads(text), toml_lines(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{source}: nested too deeply") from error
    return _scenario(document)


def _scenario(document: ScenarioDocument) -> Scenario:
    document.refuse_unknown_keys()
    return Scenario(
        name=document.line_of_text("name", at_most=80),
        greeting=document.line_of_text("greeting", at_most=300),
        system_prompt=document.prose("system_prompt", at_most=4000),
        facts=tuple(Fact(*fact) for fact in document.facts()),
        phrases=document.phrases(),
        slots=document.slots(),
    )


def _read(path: Path) -> str:
    try:
        # A FIFO or a device would block or never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path}: not a regular file")
        with path.open("rb") as file:
            raw = file.read(MAX_SCENARIO_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    if len(raw) > MAX_SCENARIO_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_SCENARIO_BYTES // 1024} KiB")
    return _decode(path, raw)


def _decode(path: Path, raw: bytes) -> str:
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: a NUL byte; a scenario is a text file in UTF-8")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: byte {error.start} is not UTF-8") from error
