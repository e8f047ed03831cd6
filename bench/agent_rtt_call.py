"""The call of `agent_rtt.py`: eight times the same question, each time after something else."""

import time
from collections.abc import Callable
from dataclasses import replace

from agent_rtt_floor import Floor
from warmline.measure import CallPlan, ScriptTurn, Speaker

__all__ = ["BARGE_IN", "FIRST", "LATER", "REPLY", "SILENCE", "STATES", "TurnTaking", "plan_of"]

FIRST, LATER, BARGE_IN, SILENCE = "first turn", "later turns", "after barge-in", "after silence"
STATES = {1: FIRST, 2: LATER, 3: LATER, 4: BARGE_IN, 5: LATER, 6: BARGE_IN, 7: LATER, 8: SILENCE}
"""What came before each turn of a call."""

REPLY = "Noon to ten. Every day."
_QUESTION = "what are your opening hours"
_GAP_SEC = 0.5
_BARGE_IN_MS = 400.0
# Frames of 20 ms fall into a VAD's windows of 32 ms in so many ways.
_PHASES = 8


class TurnTaking:
    """When the turns of one call begin (`CallPlan.may_begin`).

    All in one phase of the agent's VAD, which is another in the next call: how late it notices a silence is then the
    same for every turn of a call. The last turn comes when the silence is over *and* no other call converses.
    `before_cut` is called as a question is asked whose answer will be interrupted.
    """

    def __init__(self, phase: int, silence_sec: float, floor: Floor, before_cut: Callable[[], None]) -> None:
        self._phase = phase % _PHASES
        self._silence_sec = silence_sec
        self._floor = floor
        self._before_cut = before_cut
        self._silent_since_sec: float | None = None
        self.silence_sec = 0.0

    def __call__(self, turn: int, frame: int) -> bool:
        if STATES[turn] == SILENCE and not self._silence_is_over():
            return False
        if frame % _PHASES != self._phase:
            return False
        if STATES.get(turn + 1) == BARGE_IN:
            self._before_cut()
        return True

    def _silence_is_over(self) -> bool:
        if self.silence_sec:
            return True
        if self._silent_since_sec is None:
            self._silent_since_sec = time.monotonic()
            self._floor.give(self)
        passed_sec = time.monotonic() - self._silent_since_sec
        if passed_sec >= self._silence_sec and self._floor.take_back(self):
            self.silence_sec = passed_sec
        return self.silence_sec > 0


def plan_of(taking: TurnTaking) -> CallPlan:
    """The call whose turns `taking` begins."""
    asked = ScriptTurn(say=_QUESTION, wording="known")
    spoken = Speaker(None).speak(asked)
    # A pause of its own keeps a turn from interrupting the answer before it.
    turns = [(replace(asked, pause_sec=0.0 if state == BARGE_IN else _GAP_SEC), spoken) for state in STATES.values()]
    return CallPlan(turns=turns, gap_sec=_GAP_SEC, jitter=lambda: 0.0, barge_in_ms=_BARGE_IN_MS, may_begin=taking)
