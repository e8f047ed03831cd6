"""`--pause SEC[@TURN]`: silence before a turn of a call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from warmline.measure import ScriptTurn

__all__ = ["Pause", "parse_pause", "with_pauses"]

_LONGEST_SEC = 3600


@dataclass(frozen=True, slots=True)
class Pause:
    """`sec` of silence before `turn`, which counts from 1; None: before every turn but the first."""

    sec: float
    turn: int | None = None


def parse_pause(text: str) -> Pause:
    """Read `SEC` or `SEC@TURN`.

    Raises:
        click.BadParameter: it is neither, or out of range.
    """
    sec, at, turn = text.partition("@")
    try:
        pause = Pause(float(sec), int(turn) if at else None)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither SEC nor SEC@TURN") from None
    if not 0 <= pause.sec <= _LONGEST_SEC or (pause.turn is not None and pause.turn < 1):
        raise click.BadParameter(f"{text!r}: seconds are from 0 to {_LONGEST_SEC}, turns from 1")
    return pause


def with_pauses(turns: Sequence[ScriptTurn], pauses: Sequence[Pause]) -> list[ScriptTurn]:
    """The turns with their silences; one for a turn wins over one for all, a later option over an earlier.

    Raises:
        click.UsageError: there is no such turn.
    """
    said = list(turns)
    for pause in sorted(pauses, key=lambda each: each.turn is not None):
        if pause.turn is not None and pause.turn > len(said):
            raise click.UsageError(f"--pause {pause.sec:g}@{pause.turn}: the call has {len(said)} turns")
        chosen = range(1, len(said)) if pause.turn is None else [pause.turn - 1]
        for place in chosen:
            said[place] = replace(said[place], pause_sec=pause.sec)
    return said
