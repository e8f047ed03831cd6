"""A linear axis from zero, with round ticks."""

import math
from dataclasses import dataclass

from warmline.report.svg import Drawing

__all__ = ["Axis"]

_MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps 0 .. `highest` to the pixels `left` .. `right`."""

    left: float
    right: float
    highest: float

    def x(self, value: float) -> float:
        """The pixel of a value; what is below zero stays at the left edge."""
        return self.left + max(0.0, value) / self.highest * (self.right - self.left)

    def ticks(self) -> list[float]:
        """Multiples of 1, 2 or 5 times a power of ten, at most six of them above zero.

        Raises:
            ValueError: the highest value is not a positive number.
        """
        if not (math.isfinite(self.highest) and self.highest > 0):
            raise ValueError(f"an axis needs a positive highest value, found {self.highest}")
        power = 10.0 ** math.floor(math.log10(self.highest / _MOST_TICKS))
        step = next(step * power for step in (1, 2, 5, 10) if self.highest / (step * power) <= _MOST_TICKS)
        return [step * number for number in range(int(self.highest / step) + 1)]

    def draw(self, drawing: Drawing, top: float, bottom: float, unit: str) -> None:
        """Grid lines, and below them the numbers, the last one with the unit."""
        ticks = self.ticks()
        for tick in ticks:
            drawing.line(self.x(tick), top, self.x(tick), bottom, style="grid")
            number = f"{tick:,.0f}" if tick >= 1000 else f"{tick:g}"
            text = f"{number} {unit}" if tick == ticks[-1] else number
            drawing.text(self.x(tick), bottom + 16, text, style="note", anchor="middle")
