"""What a warm-up did: every step's time, the critical path, what overlap saved, what was not verified."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from warmline.startup.graph import longest_chain
from warmline.startup.progress import StepState
from warmline.startup.table import text_table

if TYPE_CHECKING:
    from warmline.startup.progress import Progress, Record

__all__ = ["Report", "StepReport", "report_of"]

_HEADERS = ("step", "", "state", "start s", "took s", "waited s", "tries", "proof, or why not")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """One step. `start_sec` counts from the beginning of the run (None: not started in it), `waited_sec` is for a core.

    `took_sec` is from the first attempt to the end, pauses between attempts included. `stands` says whether its last
    finished run was a success, `critical_path` whether it is part of the longest chain.
    """

    name: str
    state: StepState
    criticality: str
    scope: str
    stands: bool
    critical_path: bool
    start_sec: float | None
    took_sec: float
    waited_sec: float
    attempts: int
    evidence: str | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run of a plan. Times are those of the run; `steps` are all of its scope, so that a re-run hides nothing.

    They come in an order in which each is after what it waits for. `serial_sec` is the sum of the times of the run's
    steps, `saved_sec` what running them side by side saved of it.
    """

    steps: tuple[StepReport, ...]
    wall_sec: float
    serial_sec: float
    critical_path: tuple[str, ...]
    critical_path_sec: float
    abandoned: int
    """Calls, since the plan was opened, that did not end in time and could not be stopped."""

    @property
    def saved_sec(self) -> float:
        """Seconds saved by overlap."""
        return max(0.0, self.serial_sec - self.wall_sec)

    @property
    def not_verified(self) -> tuple[str, ...]:
        """Steps that proved nothing, for whatever reason."""
        return tuple(step.name for step in self.steps if step.state is not StepState.VERIFIED)

    @property
    def failed(self) -> tuple[str, ...]:
        """Steps that ended without success."""
        return tuple(step.name for step in self.steps if step.state.is_end and not step.state.is_success)

    def __getitem__(self, name: str) -> StepReport:
        return next(step for step in self.steps if step.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        return {
            **asdict(self),
            "saved_sec": self.saved_sec,
            "not_verified": list(self.not_verified),
            "failed": list(self.failed),
        }

    def to_json(self) -> str:
        """The same, as text."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    def to_table(self) -> str:
        """For people; `*` marks the critical path."""
        path = " -> ".join(self.critical_path) or "none"
        summary = (
            f"{self.wall_sec:.2f} s, one after the other {self.serial_sec:.2f} s: {self.saved_sec:.2f} s saved. "
            f"Critical path: {path} ({self.critical_path_sec:.2f} s).",
            f"Not verified: {', '.join(self.not_verified) or 'nothing'}.",
            *([f"{self.abandoned} calls would not end and were abandoned."] if self.abandoned else []),
        )
        return text_table(_HEADERS, [_row(step) for step in self.steps], right=(3, 4, 5, 6)) + "\n".join(summary) + "\n"


def report_of(progress: Progress, now_sec: float, abandoned: int) -> Report:
    """The report of the run that is under way or ended last."""
    records = [progress.records[name] for name in progress.run]
    took_sec = {record.step.name: record.took_sec(now_sec) for record in records if record.started_sec is not None}
    path = longest_chain([record.step for record in records], took_sec)
    return Report(
        steps=tuple(_step_report(record, progress, path, now_sec) for record in progress.records.values()),
        wall_sec=(now_sec if progress.ended_sec is None else progress.ended_sec) - progress.began_sec,
        serial_sec=sum(took_sec.values()),
        critical_path=path,
        critical_path_sec=sum(took_sec[name] for name in path),
        abandoned=abandoned,
    )


def _step_report(record: Record, progress: Progress, path: tuple[str, ...], now_sec: float) -> StepReport:
    started_sec = record.started_sec if record.step.name in progress.run else None
    return StepReport(
        name=record.step.name,
        state=record.state,
        criticality=record.step.criticality.value,
        scope=record.step.scope.value,
        stands=record.stands,
        critical_path=record.step.name in path,
        start_sec=None if started_sec is None else started_sec - progress.began_sec,
        took_sec=record.took_sec(now_sec),
        waited_sec=record.waited_sec,
        attempts=record.attempts,
        evidence=record.evidence,
        error=record.error,
    )


def _row(step: StepReport) -> tuple[str, ...]:
    start = "" if step.start_sec is None else f"{step.start_sec:.2f}"
    return (
        step.name,
        "*" if step.critical_path else "",
        step.state.value,
        start,
        f"{step.took_sec:.2f}",
        f"{step.waited_sec:.2f}",
        str(step.attempts),
        (step.evidence if step.error is None else step.error) or "",
    )
