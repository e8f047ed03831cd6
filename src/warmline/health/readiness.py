"""Whether a process is ready, and what is missing: a state machine that is shown facts and never asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Facts", "Phase", "Readiness", "Verdict"]


class Phase(StrEnum):
    """Where a process is in its life, as probes are told."""

    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    """Ready, without something that the first caller may wait for."""
    NOT_READY = "not ready"
    """It was ready once; something that always counts is missing now."""
    DRAINING = "draining"
    """No further call; it never becomes ready again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is so at the moment of a probe, by name.

    Attributes:
        critical: critical steps that have not succeeded. They always count.
        closed: plugged-in gates that are closed, each with its reason if it gives one. They always count.
        waiting: other steps that the first readiness still waits for.
        short: floors that are not full. They count for the first readiness only, and only while `floors_gate`.
        floors_gate: whether floors count at all (not past the deadline, nor by policy).
        lost: other steps that have not succeeded.
        start_over: every step has ended once, or the deadline has passed.
    """

    critical: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    floors_gate: bool = True
    lost: tuple[str, ...] = ()
    start_over: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a probe is answered. `missing` keeps it from being ready, `degraded` is lost without that."""

    phase: Phase
    missing: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    started: bool = False

    @property
    def ready(self) -> bool:
        """Whether calls should be sent here."""
        return self.phase in (Phase.READY, Phase.DEGRADED)


class Readiness:
    """Remembers the two things that facts do not tell: that it was ready once, and that it drains."""

    def __init__(self) -> None:
        self.was_ready: bool = False
        self.draining: bool = False

    def drain(self) -> None:
        """From now on it is not ready."""
        self.draining = True

    def judge(self, facts: Facts) -> Verdict:
        """The answer to a probe. The first that is positive is the first readiness."""
        missing = self._missing(facts)
        self.was_ready = self.was_ready or not missing
        degraded = tuple(f"step {name}" for name in facts.lost) + tuple(f"floor {name}" for name in facts.short)
        return Verdict(
            phase=self._phase(missing, degraded),
            missing=missing,
            degraded=tuple(name for name in degraded if name not in missing),
            started=self.was_ready or facts.start_over,
        )

    def _missing(self, facts: Facts) -> tuple[str, ...]:
        always = [f"step {name}" for name in facts.critical] + [f"gate {name}" for name in facts.closed]
        if self.draining:
            return ("draining", *always)
        if self.was_ready:
            return tuple(always)
        short = facts.short if facts.floors_gate else ()
        return (*always, *(f"step {name}" for name in facts.waiting), *(f"floor {name}" for name in short))

    def _phase(self, missing: tuple[str, ...], degraded: tuple[str, ...]) -> Phase:
        if self.draining:
            return Phase.DRAINING
        if missing:
            return Phase.NOT_READY if self.was_ready else Phase.STARTING
        return Phase.DEGRADED if degraded else Phase.READY
