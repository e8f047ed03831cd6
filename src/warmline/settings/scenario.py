"""The scenario that an agent plays: who it is, what it knows, and what its callers say; read from a TOML file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from warmline.settings.scenario_document import ScenarioDocument
from warmline.settings.toml_file import read_toml

__all__ = ["Fact", "Scenario", "load_scenario"]

_APOLOGY = "Sorry, I cannot answer right now, please ask me again in a moment."
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

    `apology` is said when no answer could be had. `system_prompt` is the short core prompt of every request; of
    `facts`, a request has those that the turn needs.
    `phrases` maps an intent to what callers say for it, in spoken words, with `$slot` placeholders
    (`string.Template`); `slots` maps a slot to its values, in spoken words.
    """

    name: str
    greeting: str
    apology: str
    system_prompt: str
    facts: tuple[Fact, ...]
    phrases: Mapping[str, tuple[str, ...]]
    slots: Mapping[str, tuple[str, ...]]


def load_scenario(path: Path | None = None) -> Scenario:
    """Read the scenario at `path`; None reads the one that comes with Warmline.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong; names file, line and key.
    """
    file = read_toml(_DEFAULT if path is None else path)
    return _scenario(ScenarioDocument(str(file.path), file.values, file.lines))


def _scenario(document: ScenarioDocument) -> Scenario:
    document.refuse_unknown_keys()
    return Scenario(
        name=document.line_of_text("name", at_most=80),
        greeting=document.line_of_text("greeting", at_most=300),
        apology=document.line_of_text("apology", at_most=200, otherwise=_APOLOGY),
        system_prompt=document.prose("system_prompt", at_most=4000),
        facts=tuple(Fact(*fact) for fact in document.facts()),
        phrases=document.phrases(),
        slots=document.slots(),
    )
