"""What a caller is going to do on the line."""

from collections.abc import Sequence
from dataclasses import dataclass

from warmline.measure.script import ScriptTurn
from warmline.measure.utterance import Utterance

__all__ = ["CallPlan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """What is said, turn by turn, and how long anything is waited for.

    Without turns the caller hangs up as soon as it has heard the greeting begin. With `barge_in_ms` every answer but
    the last is interrupted by the next utterance, that long after it was first heard.
    """

    turns: Sequence[tuple[ScriptTurn, Utterance]] = ()
    voice: str = ""
    gap_sec: float = 0.5
    barge_in_ms: float | None = None
    connect_timeout_sec: float = 10.0
    greeting_timeout_sec: float = 15.0
    turn_timeout_sec: float = 15.0
    answer_timeout_sec: float = 60.0
