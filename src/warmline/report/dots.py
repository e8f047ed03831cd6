"""Dot plots with intervals: the same measure for several rows and series."""

from collections.abc import Sequence
from dataclasses import dataclass

from warmline.report.axis import Axis
from warmline.report.svg import WIDTH, Drawing

__all__ = ["Dot", "DotPanel", "DotSeries"]

_HEAD, _LANE, _PAD, _FOOT = 74, 20, 12, 22
_LEFT, _RIGHT = 140, WIDTH - 90
_LEGEND_STEP = 200


@dataclass(frozen=True, slots=True)
class Dot:
    """A value and the interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DotSeries:
    """One dot a row; None where there is nothing to show."""

    label: str
    dots: Sequence[Dot | None]
    series: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DotPanel:
    """Rows of dots; in each row every series has a lane of its own, a shape of its own, and its number written out."""

    title: str
    note: str
    rows: Sequence[str]
    series: Sequence[DotSeries]
    unit: str = "ms"

    @property
    def height(self) -> float:
        """Pixels from its title to the numbers under its axis."""
        return _HEAD + self._row_height * len(self.rows) + _FOOT

    @property
    def _row_height(self) -> float:
        return _LANE * len(self.series) + _PAD

    def draw(self, drawing: Drawing, top: float) -> None:
        """Draw it, from `top` downwards."""
        highest = max(dot.high for series in self.series for dot in series.dots if dot is not None)
        axis, first = Axis(_LEFT, _RIGHT, highest), top + _HEAD
        drawing.text(20, top + 14, self.title, style="title")
        drawing.text(20, top + 34, self.note, style="note")
        self._draw_legend(drawing, top + 56)
        axis.draw(drawing, first, first + self._row_height * len(self.rows), self.unit)
        for number, label in enumerate(self.rows):
            self._draw_row(drawing, axis, number, label, first + self._row_height * number)

    def _draw_legend(self, drawing: Drawing, y: float) -> None:
        for number, series in enumerate(self.series):
            drawing.marker(26 + _LEGEND_STEP * number, y - 4, series=series.series)
            drawing.text(38 + _LEGEND_STEP * number, y, series.label)

    def _draw_row(self, drawing: Drawing, axis: Axis, number: int, label: str, top: float) -> None:
        drawing.text(_LEFT - 12, top + self._row_height / 2 + 5, label, anchor="end")
        for lane, series in enumerate(self.series):
            dot = series.dots[number]
            if dot is None:
                continue
            y = top + _PAD / 2 + _LANE * (lane + 0.5)
            drawing.interval(axis.x(dot.low), axis.x(dot.high), y, series=series.series)
            drawing.marker(axis.x(dot.value), y, series=series.series)
            drawing.text(axis.x(dot.high) + 12, y + 4, f"{dot.value:.0f}", style="note")
