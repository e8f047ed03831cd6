"""One turn from the caller's side: what it said, which answer was for it, and when it is over."""

from dataclasses import dataclass
from enum import Enum

from warmline.measure.answer import Answer
from warmline.measure.line import Line
from warmline.measure.plan import CallPlan
from warmline.measure.results import TurnResult
from warmline.measure.script import ScriptTurn
from warmline.measure.utterance import Utterance
from warmline.measure.wire_audio import FRAME_SEC

__all__ = ["Turn", "TurnState"]


class TurnState(Enum):
    """How far a turn is, once the caller has spoken."""

    WAITING = "waiting"
    HEARING = "hearing"
    OVER = "over"


@dataclass(slots=True)
class Turn:
    """A turn under way. `answers_before` counts the answers that had begun before the caller spoke."""

    number: int
    script: ScriptTurn
    utterance: Utterance
    answers_before: int
    interrupting: Answer | None = None
    began_sec: float = 0.0
    ended_sec: float = 0.0
    answer: Answer | None = None
    failure: str | None = None
    _next_frame: int = 0

    def speak(self, now_sec: float) -> bytes:
        """The next frame of the utterance, due to leave now."""
        if self._next_frame == 0:
            self.began_sec = now_sec - FRAME_SEC + self.utterance.audible_after_sec
        frame = self.utterance.frame(self._next_frame)
        self._next_frame += 1
        self.ended_sec = self.utterance.ended_sec(now_sec)
        return frame

    @property
    def spoken(self) -> bool:
        """Whether all of it has been said."""
        return self._next_frame >= self.utterance.frame_count

    def listen(self, line: Line, plan: CallPlan, now_sec: float) -> TurnState:
        """Look for the answer; a turn that fails is over, with `failure` set."""
        answers = line.answers[self.answers_before :]
        self.answer = next((answer for answer in answers if self._answers_this(answer)), None)
        if self.answer is not None:
            return self._hear(self.answer, line, plan, now_sec)
        if any(answer.over(now_sec) and answer.onset_sec() and not answer.interrupted for answer in answers):
            self.failure = "answered before the caller had finished"
        elif now_sec > self.ended_sec + plan.turn_timeout_sec:
            self.failure = f"no answer within {plan.turn_timeout_sec:g} s"
        return TurnState.OVER if self.failure else TurnState.WAITING

    def result(self, line: Line) -> TurnResult:
        """What came of it."""
        heard_turn = self.answer.turn if self.answer else None
        reply = line.replies.get(heard_turn) if heard_turn is not None else None
        expect = self.script.expect
        return TurnResult(
            turn=self.number,
            said=self.script.say,
            intent=self.script.intent,
            wording=self.script.wording,
            v2v_ms=self._v2v_ms(),
            transcript=line.transcripts.get(heard_turn) if heard_turn is not None else None,
            reply=reply,
            expectation=expect.pattern if expect else None,
            expectation_held=bool(reply and expect.search(reply)) if expect else None,
            interrupted=bool(self.answer and self.answer.interrupted),
            silenced_ms=self._silenced_ms(),
            longest_silence_ms=self.answer.longest_silence_ms() if self.answer else 0.0,
            longest_wait_ms=self.answer.longest_wait_ms() if self.answer else 0.0,
            stages_ms=line.stages_ms.get(heard_turn, {}) if heard_turn is not None else {},
            failure=self.failure,
        )

    def _answers_this(self, answer: Answer) -> bool:
        onset_sec = answer.onset_sec()
        return onset_sec is not None and onset_sec > self.ended_sec

    def _hear(self, answer: Answer, line: Line, plan: CallPlan, now_sec: float) -> TurnState:
        if line.quiet(now_sec):
            return TurnState.OVER
        if now_sec > answer.started_sec + plan.answer_timeout_sec:
            self.failure = f"the answer did not end within {plan.answer_timeout_sec:g} s"
            return TurnState.OVER
        return TurnState.HEARING

    def _v2v_ms(self) -> float | None:
        onset_sec = self.answer.onset_sec() if self.answer else None
        return None if onset_sec is None else 1000 * (onset_sec - self.ended_sec)

    def _silenced_ms(self) -> float | None:
        # How long the agent talked on after the caller had begun to interrupt it.
        if self.interrupting is None or not self.interrupting.interrupted:
            return None
        return max(0.0, 1000 * (self.interrupting.ends_sec - self.began_sec))
