"""A small drawing board for SVG: built as a tree, so that it is well-formed and every text is escaped.

It paints its own ground and follows the reader's colour scheme: legible on a light page and on a dark one.
"""

from typing import Literal
from xml.etree import ElementTree

__all__ = ["SERIES", "WIDTH", "Drawing"]

WIDTH = 760

# Okabe and Ito's palette (Color Universal Design, 2008), darkened or lightened for contrast with the ground: each
# pair is for a light and a dark one. Colour never stands alone: everything drawn in it has a label or a shape too.
SERIES = (
    ("#0072b2", "#56b4e9"),
    ("#c04f00", "#ff9248"),
    ("#00795a", "#2fc79a"),
    ("#8f4a75", "#df9cc4"),
    ("#6b6b6b", "#b0b0b0"),
)

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_SHAPES = 4
_LIGHT = (
    ".ground{fill:#ffffff;stroke:#d0d7de}text{fill:#1b1f24}.note{fill:#57606a}"
    ".grid{stroke:#e3e7ec}.whisker{stroke:#1b1f24}.halo{fill:#ffffff}"
)
_DARK = (
    ".ground{fill:#0d1117;stroke:#30363d}text{fill:#e6edf3}.note{fill:#9aa4af}"
    ".grid{stroke:#262c34}.whisker{stroke:#e6edf3}.halo{fill:#0d1117}"
)
_TEXT = (
    f"text{{font-family:{_FONT};font-size:13px}}.title{{font-size:16px;font-weight:600}}"
    ".value{font-weight:600}.note{font-size:12px;font-weight:400}.whisker{stroke-width:1.5}"
)


class Drawing:
    """Takes shapes at pixels of a board that is 760 wide and as high as it is told in the end."""

    def __init__(self) -> None:
        self._shapes: list[ElementTree.Element] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        style: Literal["title", "label", "value", "note"] = "label",
        anchor: Literal["start", "middle", "end"] = "start",
        note: str = "",
    ) -> None:
        """Text on the base line at y, and a `note` in smaller letters behind it."""
        element = self._add("text", {"class": style, "text-anchor": anchor}, x=x, y=y)
        element.text = text
        if note:
            ElementTree.SubElement(element, "tspan", {"class": "note", "dx": "10"}).text = note

    def bar(self, x: float, y: float, width: float, height: float, *, series: int) -> None:
        """A filled rectangle, at least a pixel wide."""
        self._add("rect", {"class": _series(series), "rx": "2"}, x=x, y=y, width=max(1.0, width), height=height)

    def line(self, x1: float, y1: float, x2: float, y2: float, *, style: str) -> None:
        """A straight line; `style` is `grid`, `whisker` or a series' number."""
        self._add("line", {"class": style}, x1=x1, y1=y1, x2=x2, y2=y2)

    def interval(self, low: float, high: float, y: float, *, series: int | None = None, cap: float = 4) -> None:
        """A horizontal whisker with caps."""
        style = "whisker" if series is None else f"{_series(series)} whisker-s"
        for x1, y1, x2, y2 in ((low, y, high, y), (low, y - cap, low, y + cap), (high, y - cap, high, y + cap)):
            self.line(x1, y1, x2, y2, style=style)

    def marker(self, x: float, y: float, *, series: int, radius: float = 5) -> None:
        """A dot, square, diamond or triangle, by series: told apart without colour."""
        shape, attributes = series % _SHAPES, {"class": _series(series)}
        if shape == 0:
            self._add("circle", attributes, cx=x, cy=y, r=radius)
        elif shape == 1:
            self._add("rect", attributes, x=x - radius, y=y - radius, width=2 * radius, height=2 * radius)
        else:
            ends = ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)) if shape == 2 else ((0, -1.2), (1.2, 1), (-1.2, 1))
            points = " ".join(f"{x + dx * radius:.2f},{y + dy * radius:.2f}" for dx, dy in ends)
            self._add("polygon", {**attributes, "points": points})

    def render(self, height: float, *, title: str, description: str) -> str:
        """The whole file; `title` and `description` are what a screen reader says."""
        box = f"0 0 {WIDTH} {height:.0f}"
        svg = ElementTree.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": box,
                "width": str(WIDTH),
                "height": f"{height:.0f}",
                "role": "img",
            },
        )
        ElementTree.SubElement(svg, "title").text = title
        ElementTree.SubElement(svg, "desc").text = description
        ElementTree.SubElement(svg, "style").text = _stylesheet()
        ground = {
            "class": "ground",
            "x": "0.5",
            "y": "0.5",
            "width": f"{WIDTH - 1}",
            "height": f"{height - 1:.0f}",
            "rx": "8",
        }
        ElementTree.SubElement(svg, "rect", ground)
        svg.extend(self._shapes)
        ElementTree.indent(svg)
        return ElementTree.tostring(svg, encoding="unicode") + "\n"

    def _add(self, tag: str, attributes: dict[str, str], **numbers: float) -> ElementTree.Element:
        numbered = {name.replace("_", "-"): f"{value:.2f}".rstrip("0").rstrip(".") for name, value in numbers.items()}
        element = ElementTree.Element(tag, {**attributes, **numbered})
        self._shapes.append(element)
        return element


def _series(number: int) -> str:
    return f"s{number % len(SERIES)}"


def _stylesheet() -> str:
    light = "".join(f".s{number}{{fill:{pair[0]};stroke:{pair[0]}}}" for number, pair in enumerate(SERIES))
    dark = "".join(f".s{number}{{fill:{pair[1]};stroke:{pair[1]}}}" for number, pair in enumerate(SERIES))
    return f"{_TEXT}{_LIGHT}{light}.whisker-s{{stroke-width:2}}@media (prefers-color-scheme: dark){{{_DARK}{dark}}}"
