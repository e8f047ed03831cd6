"""A warm-up as a Gantt chart: which step ran when, what waited for a core, and the chain that took longest."""

from dataclasses import dataclass

from warmline.report.axis import Axis
from warmline.report.panel import figure
from warmline.report.svg import WIDTH, Drawing
from warmline.startup import Report, StepReport, StepState

__all__ = ["GanttPanel", "gantt_svg"]

_HEAD, _ROW, _BAR, _FOOT = 48, 24, 14, 22
_LEFT, _RIGHT = 210, WIDTH - 150
_PATH, _OTHER, _UNPROVED, _NO_SUCCESS = 0, 2, 4, 1
_NOTE = "blue: critical path · green: others, verified · grey: not verified · orange: no success · line: core awaited"


@dataclass(frozen=True, slots=True, kw_only=True)
class GanttPanel:
    """One step a row, in the order in which they began; what never began is named at the bottom."""

    title: str
    report: Report

    @property
    def height(self) -> float:
        """Pixels from its title to the numbers under its axis."""
        return _HEAD + _ROW * len(self.report.steps) + _FOOT

    def draw(self, drawing: Drawing, top: float) -> None:
        """Draw it, from `top` downwards."""
        steps = sorted(self.report.steps, key=_begin)
        axis = Axis(_LEFT, _RIGHT, max(0.001, self.report.wall_sec, *(_end(step) for step in steps)))
        drawing.text(20, top + 14, self.title, style="title")
        drawing.text(20, top + 34, _NOTE, style="note")
        axis.draw(drawing, top + _HEAD, top + _HEAD + _ROW * len(steps), "s")
        for number, step in enumerate(steps):
            _draw_step(drawing, axis, step, top + _HEAD + _ROW * (number + 0.5))


def gantt_svg(report: Report, title: str = "Warm-up") -> str:
    """An SVG file of the whole run."""
    path = " -> ".join(report.critical_path) or "none"
    description = (
        f"{len(report.steps)} steps in {report.wall_sec:.2f} s, {report.saved_sec:.2f} s saved by overlap. "
        f"Critical path: {path}, {report.critical_path_sec:.2f} s. Not verified: {', '.join(report.not_verified)}."
    )
    return figure([GanttPanel(title=title, report=report)], title=title, description=description)


def _draw_step(drawing: Drawing, axis: Axis, step: StepReport, middle: float) -> None:
    drawing.text(_LEFT - 10, middle + 5, step.name, anchor="end", style="value" if step.critical_path else "label")
    if step.start_sec is None:
        drawing.text(axis.x(0) + 8, middle + 4, step.state.value, style="note")
        return
    if step.waited_sec > 0:
        drawing.interval(axis.x(step.start_sec - step.waited_sec), axis.x(step.start_sec), middle)
    left, right = axis.x(step.start_sec), axis.x(_end(step))
    drawing.bar(left, middle - _BAR / 2, right - left, _BAR, series=_series(step))
    state = "" if step.state is StepState.VERIFIED else f" {step.state.value}"
    drawing.text(right + 8, middle + 4, f"{step.took_sec:.2f}{state}", style="note")


def _series(step: StepReport) -> int:
    if step.state is StepState.VERIFIED:
        return _PATH if step.critical_path else _OTHER
    return _NO_SUCCESS if step.state.is_end and not step.state.is_success else _UNPROVED


def _begin(step: StepReport) -> float:
    return float("inf") if step.start_sec is None else step.start_sec - step.waited_sec


def _end(step: StepReport) -> float:
    return 0.0 if step.start_sec is None else step.start_sec + step.took_sec
