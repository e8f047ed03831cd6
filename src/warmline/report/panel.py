"""What a figure is made of: panels, one under the other."""

from collections.abc import Sequence
from typing import Protocol

from warmline.report.svg import Drawing

__all__ = ["Panel", "figure"]

_MARGIN = 20
_GAP = 26


class Panel(Protocol):
    """One chart with its title."""

    @property
    def height(self) -> float:
        """Pixels from its title to the numbers under its axis."""
        ...

    def draw(self, drawing: Drawing, top: float) -> None:
        """Draw it, from `top` downwards."""
        ...


def figure(panels: Sequence[Panel], *, title: str, description: str) -> str:
    """An SVG file of these panels; `title` and `description` are for who cannot see it."""
    drawing, top = Drawing(), float(_MARGIN)
    for panel in panels:
        panel.draw(drawing, top)
        top += panel.height + _GAP
    return drawing.render(top - _GAP + _MARGIN, title=title, description=description)
