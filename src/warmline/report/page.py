"""Reports as one HTML file that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["Section", "html_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a report. `figure` is an SVG made by this package, and goes in as it is; all else is escaped."""

    title: str
    paragraphs: Sequence[str] = ()
    figure: str = ""
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def html_report(title: str, sections: Sequence[Section]) -> str:
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("warmline.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html.j2").render(title=title, sections=sections)
