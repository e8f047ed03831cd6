"""Horizontal bars with intervals: how long each of a few things takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from warmline.report.axis import Axis
from warmline.report.svg import WIDTH, Drawing

__all__ = ["Bar", "BarPanel"]

_HEAD, _ROW, _BAR, _FOOT = 48, 34, 20, 22
_LEFT, _RIGHT = 170, WIDTH - 210


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A value, the interval around it, and what is written behind it: `text`, and smaller the `note`."""

    label: str
    value: float
    low: float
    high: float
    text: str
    note: str = ""
    series: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPanel:
    """One bar a row, on one axis from zero."""

    title: str
    note: str
    bars: Sequence[Bar]
    unit: str = "ms"

    @property
    def height(self) -> float:
        """Pixels from its title to the numbers under its axis."""
        return _HEAD + _ROW * len(self.bars) + _FOOT

    def draw(self, drawing: Drawing, top: float) -> None:
        """Draw it, from `top` downwards."""
        axis = Axis(_LEFT, _RIGHT, max(max(bar.value, bar.high) for bar in self.bars))
        drawing.text(20, top + 14, self.title, style="title")
        drawing.text(20, top + 34, self.note, style="note")
        axis.draw(drawing, top + _HEAD, top + _HEAD + _ROW * len(self.bars), self.unit)
        for number, bar in enumerate(self.bars):
            _draw_bar(drawing, axis, bar, top + _HEAD + _ROW * (number + 0.5))


def _draw_bar(drawing: Drawing, axis: Axis, bar: Bar, middle: float) -> None:
    drawing.text(_LEFT - 10, middle + 5, bar.label, anchor="end")
    drawing.bar(axis.x(0), middle - _BAR / 2, axis.x(bar.value) - axis.x(0), _BAR, series=bar.series)
    drawing.interval(axis.x(bar.low), axis.x(bar.high), middle)
    drawing.text(axis.x(max(bar.value, bar.high)) + 10, middle + 5, bar.text, style="value", note=bar.note)
