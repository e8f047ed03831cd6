"""What keeps a process from being ready, by policy. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from warmline.startup.step import Criticality

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warmline.startup.progress import Record

__all__ = ["Gating", "Policy", "what_gates"]


class Policy(StrEnum):
    """What waits for the warm-up."""

    BACKGROUND = "background"
    """Nothing: serving and ready at once, but for critical steps."""
    GATE = "gate"
    """Readiness: serving at once, ready for the first time when all steps have ended, or at the deadline."""
    BLOCK = "block"
    """Everything: the application starts when all steps have ended, or at the deadline; a critical step that fails is
    raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gating:
    """What readiness has to know of the warm-up, by step names.

    Attributes:
        critical: critical steps that have not succeeded. They always count.
        waiting: other steps whose end the first readiness waits for; empty at the deadline and by policy.
        degraded: other steps that have not succeeded, whether they gate or not.
        floors_gate: whether floors still keep the first readiness back.
        over: the start is over: every step has ended once, or the deadline has passed.
    """

    critical: tuple[str, ...]
    waiting: tuple[str, ...]
    degraded: tuple[str, ...]
    floors_gate: bool
    over: bool


def what_gates(records: Iterable[Record], policy: Policy, *, overdue: bool) -> Gating:
    """`overdue`: the deadline has passed."""
    records = tuple(records)
    unfinished = {r.step.name for r in records if not r.ended_once}
    others = [r for r in records if r.step.criticality is not Criticality.CRITICAL]
    waits = not overdue and policy is not Policy.BACKGROUND
    return Gating(
        critical=tuple(r.step.name for r in records if r.step.criticality is Criticality.CRITICAL and not r.stands),
        waiting=tuple(r.step.name for r in others if waits and r.step.name in unfinished),
        degraded=tuple(r.step.name for r in others if not r.stands),
        floors_gate=waits,
        over=overdue or not unfinished,
    )
