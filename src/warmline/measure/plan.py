"""What a caller is going to do on the line."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from warmline.measure.script import ScriptTurn
from warmline.measure.utterance import Utterance

__all__ = ["CallPlan"]


def _at_once(turn: int, frame: int) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """What is said, turn by turn, and how long anything is waited for.

    Without turns the caller hangs up as soon as it has heard the greeting begin. With `barge_in_ms` every answer but
    the last is interrupted by the next utterance, that long after it was first heard; a turn's `pause_sec` wins over
    `gap_sec` and `barge_in_ms`.

    `jitter` (0 to 1) chooses how much later than `gap_sec` an utterance begins, up to 0.16 s. A VAD judges windows of
    32 ms, into which frames of 20 ms fall in eight phases, and how soon it notices a silence depends on the phase. If
    every call had the same phase in the same turn, turns would differ by what has nothing to do with their place.

    `may_begin` is asked with the number of the turn (from 1) and that of the frame in the call (from 0) whether an
    utterance that is due begins with this frame; after a no it is asked again with the next. It is for calls that take
    turns with other calls, or whose turns shall all meet the VAD's windows in one phase.
    """

    turns: Sequence[tuple[ScriptTurn, Utterance]] = ()
    voice: str = ""
    gap_sec: float = 0.5
    jitter: Callable[[], float] = random.random
    may_begin: Callable[[int, int], bool] = _at_once
    barge_in_ms: float | None = None
    connect_timeout_sec: float = 10.0
    greeting_timeout_sec: float = 15.0
    turn_timeout_sec: float = 15.0
    answer_timeout_sec: float = 60.0
