"""Tables in Markdown."""

from collections.abc import Sequence

__all__ = ["markdown_table"]


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1) -> str:
    """A table as GitHub and MyST read it; the first columns are text, the others figures, aligned right.

    Raises:
        ValueError: a row is not as long as the headers.
    """
    rule = ["---" if column < text_columns else "---:" for column in range(len(headers))]
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"a row of {len(row)} cells under {len(headers)} headers: {row}")
    return "\n".join(_line(cells) for cells in ([_escaped(cell) for cell in headers], rule, *_all_escaped(rows))) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _all_escaped(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[_escaped(cell) for cell in row] for row in rows]


def _escaped(cell: str) -> str:
    # A line break or a bar would end the cell, a bracket or backtick could start markup.
    flat = " ".join(cell.split())
    for special in "\\`*_|<>[]":
        flat = flat.replace(special, f"\\{special}")
    return flat
