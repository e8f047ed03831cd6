"""Figures as people read them: Markdown tables, SVG charts, HTML pages. Pure functions."""

from warmline.report.bars import Bar, BarPanel
from warmline.report.dots import Dot, DotPanel, DotSeries
from warmline.report.gantt import GanttPanel, gantt_svg
from warmline.report.markdown import markdown_table
from warmline.report.page import Section, html_report
from warmline.report.panel import Panel, figure
from warmline.report.waterfall import Step, WaterfallPanel, steps_of_stages

__all__ = [
    "Bar",
    "BarPanel",
    "Dot",
    "DotPanel",
    "DotSeries",
    "GanttPanel",
    "Panel",
    "Section",
    "Step",
    "WaterfallPanel",
    "figure",
    "gantt_svg",
    "html_report",
    "markdown_table",
    "steps_of_stages",
]
