"""Every setting with its value, where it came from and what it means; secrets as set or unset."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import SecretStr

from warmline.settings.settings import Settings

__all__ = ["Explained", "explain", "misspelt_variables", "start_notes"]


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting. `value` is text to show; `source` is `default` or names the option, variable or file and line."""

    name: str
    value: str
    source: str
    meaning: str


def explain(settings: Settings) -> list[Explained]:
    """All settings, in the order in which they are declared."""
    return [
        Explained(name, _shown(name, settings), settings.sources.get(name, "default"), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def start_notes(settings: Settings) -> list[str]:
    """What was chosen and why, one line each: who thinks, who can reach it, and every setting that is no default."""
    chosen = [each for each in explain(settings) if each.source != "default"]
    return [
        _who_thinks(settings),
        *([] if settings.is_loopback else [f"Reachable from other machines ({settings.host}): calls need the token."]),
        *(f"Set: {each.name} = {each.value} ({each.source})" for each in chosen),
    ]


def _who_thinks(settings: Settings) -> str:
    if settings.llm_base_url is None:
        chosen = settings.sources.get("llm_base_url", "no --llm-base-url, no OPENAI_API_KEY")
        return f"Language model: the built-in emulator ({chosen})"
    model = settings.llm_model or "the first that is offered"
    return f"Language model: {model} at {settings.llm_base_url}; callers' words go there."


def misspelt_variables(environment: Iterable[str]) -> list[str]:
    """Names of variables that set nothing but look much like one that would, and which one."""
    known = {f"WARMLINE_{name.upper()}" for name in Settings.model_fields}
    unknown = [name for name in environment if name.startswith("WARMLINE_") and name not in known]
    close = [(name, difflib.get_close_matches(name, known, n=1, cutoff=0.9)) for name in unknown]
    return [f"{name} sets nothing; did you mean {match[0]}?" for name, match in close if match]


def _shown(name: str, settings: Settings) -> str:
    match getattr(settings, name):
        case None:
            return "unset"
        case SecretStr():
            return "set"
        case tuple() as several:
            return ", ".join(several)
        case value:
            return str(value)
