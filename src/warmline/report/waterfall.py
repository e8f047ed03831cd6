"""Waterfalls: what came after what, and how long each step took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from warmline.report.axis import Axis
from warmline.report.svg import WIDTH, Drawing

__all__ = ["Step", "WaterfallPanel", "steps_of_stages"]

_HEAD, _ROW, _BAR, _FOOT = 48, 24, 14, 22
_LEFT, _RIGHT = 210, WIDTH - 90


@dataclass(frozen=True, slots=True)
class Step:
    """A step from `start` to `end`, on the axis of its waterfall."""

    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterfallPanel:
    """One step a row."""

    title: str
    note: str
    steps: Sequence[Step]
    unit: str = "ms"
    series: int = 0

    @property
    def height(self) -> float:
        """Pixels from its title to the numbers under its axis."""
        return _HEAD + _ROW * len(self.steps) + _FOOT

    def draw(self, drawing: Drawing, top: float) -> None:
        """Draw it, from `top` downwards."""
        axis = Axis(_LEFT, _RIGHT, max(step.end for step in self.steps))
        drawing.text(20, top + 14, self.title, style="title")
        drawing.text(20, top + 34, self.note, style="note")
        axis.draw(drawing, top + _HEAD, top + _HEAD + _ROW * len(self.steps), self.unit)
        for number, step in enumerate(self.steps):
            middle = top + _HEAD + _ROW * (number + 0.5)
            drawing.text(_LEFT - 10, middle + 5, step.label, anchor="end")
            drawing.bar(
                axis.x(step.start), middle - _BAR / 2, axis.x(step.end) - axis.x(step.start), _BAR, series=self.series
            )
            drawing.text(axis.x(step.end) + 8, middle + 4, f"{step.end - step.start:.0f}", style="note")


def steps_of_stages(stages_ms: Mapping[str, float]) -> list[Step]:
    """The steps between the stages of a turn, in the order of their times, counted from the first stage."""
    reached = sorted(stages_ms.items(), key=lambda stage: stage[1])
    if not reached:
        return []
    began_ms = reached[0][1]
    pairs = pairwise(reached)
    return [
        Step(name.replace("_", " "), before_ms - began_ms, at_ms - began_ms) for (_, before_ms), (name, at_ms) in pairs
    ]
