"""What a bench is asked to show, and whether it did."""

from collections.abc import Sequence
from dataclasses import dataclass

from warmline.report import markdown_table

__all__ = ["Target", "target_table", "yes"]


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for, and what was found; `met` is None when it was not measured, or too seldom for a verdict."""

    what: str
    found: str
    met: bool | None


def target_table(targets: Sequence[Target]) -> str:
    """One line each."""
    return markdown_table(["target", "found", "met"], [[each.what, each.found, yes(each.met)] for each in targets])


def yes(value: bool | None) -> str:
    """As the tables say it."""
    return {True: "yes", False: "NO", None: "too few samples"}[value]
