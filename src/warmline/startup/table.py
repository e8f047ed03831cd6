"""Tables of plain text, and the plan as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from warmline.startup.step import Step

__all__ = ["plan_table", "text_table"]

_HEADERS = ("step", "criticality", "scope", "runs", "bound s", "retries", "counts when", "waits for")


def text_table(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> str:
    """Columns as wide as their longest cell; those numbered in `right` are aligned right."""
    lines = [tuple(headers), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "".join(f"{_line(line, widths, right)}\n" for line in lines)


def plan_table(steps: Iterable[Step]) -> str:
    """What would run, in an order in which each step comes after what it waits for."""
    return text_table(_HEADERS, [_row(step) for step in steps], right=(4, 5))


def _line(cells: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    padded = [
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _row(step: Step) -> tuple[str, ...]:
    return (
        step.name,
        step.criticality.value,
        step.scope.value,
        "on a core" if step.cpu else "beside others",
        f"{step.timeout_sec:g}",
        str(step.retries),
        ("it proves it" if step.verified else "it ends") + (", costs money" if step.paid else ""),
        "; ".join([", ".join(step.needs)] * bool(step.needs) + [f"end of {', '.join(step.after)}"] * bool(step.after)),
    )
