"""What `warmline call` shows: tables for a person, JSON for a program."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from warmline.errors import ConfigError
from warmline.measure import CallResult, Spread, Summary, Tally, TurnResult, call_cold_tax_ms, summarize

__all__ = ["print_calls", "progress_line", "write_json"]

_NOTHING = "-"
_TEXTS = frozenset({"", "voice", "said", "heard as", "answer"})


def write_json(path: Path, results: Sequence[CallResult]) -> None:
    """Summary and calls, as JSON; `-` is standard output.

    Raises:
        ConfigError: the file cannot be written.
    """
    document = {"summary": asdict(summarize(results)), "calls": [asdict(result) for result in results]}
    text = json.dumps(document, indent=2)
    if path == Path("-"):
        click.echo(text)
        return
    try:
        path.write_text(text + "\n")
    except OSError as failure:
        raise ConfigError(f"{path}: cannot be written: {failure.strerror}") from failure


def progress_line(result: CallResult) -> str:
    """One call in a line."""
    turns = " ".join(_ms(turn.v2v_ms) for turn in result.turns)
    line = f"greeting {_ms(result.greeting_ms)} ms" + (f", turns {turns} ms" if turns else "")
    return "; ".join([line, *_complaints(result)])


def print_calls(results: Sequence[CallResult], summary: Summary) -> None:
    """The calls, the turns when there is but one call, and the figures over all of them."""
    _print_table("Calls, times in ms", *_calls_table(results))
    if len(results) == 1 and results[0].turns:
        _print_table("Turns", *_turns_table(results[0].turns))
    _print_table("Over all calls", *_summary_table(summary))
    for number, result in enumerate(results, 1):
        for complaint in _complaints(result):
            click.echo(f"call {number}: {complaint}")


def _calls_table(results: Sequence[CallResult]) -> tuple[list[str], list[list[str]]]:
    most = max(len(result.turns) for result in results)
    turns = [f"turn {turn}" for turn in range(1, most + 1)]
    headers = ["call", "voice", "greeting", *turns, "cold tax", "right", "known", "unseen"]
    return headers, [_call_row(number, result, most) for number, result in enumerate(results, 1)]


def _call_row(number: int, result: CallResult, most: int) -> list[str]:
    one = summarize([result])
    turns = [_ms(turn.v2v_ms) for turn in result.turns]
    return [
        str(number),
        Path(result.voice).name,
        _ms(result.greeting_ms),
        *turns,
        *[""] * (most - len(turns)),
        _ms(call_cold_tax_ms(result)),
        _tally(one.right),
        _tally(one.right_known),
        _tally(one.right_unseen),
    ]


def _turns_table(turns: Sequence[TurnResult]) -> tuple[list[str], list[list[str]]]:
    headers = ["turn", "said", "heard as", "answer", "V2V ms", "pause ms", "expected"]
    return headers, [
        [
            str(turn.turn),
            turn.said,
            turn.transcript or _NOTHING,
            turn.reply or _NOTHING,
            _ms(turn.v2v_ms),
            f"{turn.longest_silence_ms:.0f}",
            {None: _NOTHING, True: "yes", False: "NO"}[turn.expectation_held],
        ]
        for turn in turns
    ]


def _summary_table(summary: Summary) -> tuple[list[str], list[list[str]]]:
    tax = summary.cold_tax_ms
    rows = [
        ["calls completed", f"{summary.completed} of {summary.calls}", "", ""],
        _spread_row("call to greeting heard", summary.greeting_ms),
        _spread_row("voice-to-voice, all turns", summary.v2v_ms),
        _spread_row("voice-to-voice, turn 1", summary.first_turn_ms),
        _spread_row("voice-to-voice, later turns", summary.later_turns_ms),
        [
            "cold tax of turn 1",
            _ms(tax.value) if tax else _NOTHING,
            f"{tax.low:.0f} .. {tax.high:.0f}" if tax else "",
            "",
        ],
        ["replies as expected", _tally(summary.right), "", ""],
        ["  known wordings", _tally(summary.right_known), "", ""],
        ["  unseen wordings", _tally(summary.right_unseen), "", ""],
    ]
    return ["", "median (ms)", "95 % interval", "p95"], [row for row in rows if row[1] != _NOTHING]


def _spread_row(name: str, spread: Spread | None) -> list[str]:
    if spread is None:
        return [name, _NOTHING, "", ""]
    low, high = spread.median.low, spread.median.high
    return [name, _ms(spread.median.value), f"{low:.0f} .. {high:.0f}", f"{spread.p95:.0f}"]


def _complaints(result: CallResult) -> list[str]:
    failed = [f"turn {turn.turn}: {turn.failure}" for turn in result.turns if turn.failure]
    return [*([result.failure] if result.failure else []), *failed, *result.faults]


def _ms(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.0f}"


def _tally(tally: Tally) -> str:
    return f"{tally.right}/{tally.of}" if tally.of else _NOTHING


def _print_table(title: str, headers: list[str], rows: list[list[str]]) -> None:
    shown = [column for column in range(len(headers)) if any(row[column] not in ("", _NOTHING) for row in rows)]
    headers, rows = [headers[column] for column in shown], [[row[column] for column in shown] for row in rows]
    if sys.stdout.isatty():
        _print_rich(title, headers, rows)
        return
    click.echo(f"\n{title}")
    widths = [max(len(row[column]) for row in [headers, *rows]) for column in range(len(headers))]
    for row in [headers, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_rich(title: str, headers: list[str], rows: list[list[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="", box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(header, justify="left" if header in _TEXTS else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    console.print(Text(title, style="bold"))
    console.print(table)
