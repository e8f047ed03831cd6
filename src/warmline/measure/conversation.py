"""What the caller does next: a state machine that is asked every 20 ms, and does no I/O."""

from enum import Enum

from warmline.measure.answer import Answer
from warmline.measure.line import Line
from warmline.measure.plan import CallPlan
from warmline.measure.results import CallResult
from warmline.measure.turn import Turn, TurnState
from warmline.measure.wire_audio import FRAME_BYTES

__all__ = ["Conversation"]

_SILENCE = bytes(FRAME_BYTES)
_MOST_JITTER_SEC = 0.16


class _Phase(Enum):
    GREETING = "waiting for the greeting and its end"
    PAUSE = "quiet before the next utterance, or before hanging up"
    SPEAKING = "saying an utterance"
    LISTENING = "waiting for the answer and its end"
    OVER = "hanging up"


class Conversation:
    """One call by plan: greeting, then turn after turn, each after the answer to the one before was heard to its end.

    `called_sec` is when the call began, `connected_sec` when the line stood; all times are seconds of one monotonic
    clock.
    """

    def __init__(self, plan: CallPlan, called_sec: float, connected_sec: float) -> None:
        self.line: Line = Line()
        self.failure: str | None = None
        self._plan = plan
        self._called_sec = called_sec
        self._connected_sec = connected_sec
        self._phase = _Phase.GREETING
        self._resume_sec = 0.0
        self._frames = 0
        self._turns: list[Turn] = []

    @property
    def over(self) -> bool:
        """Whether the caller hangs up now."""
        return self._phase is _Phase.OVER

    def frame(self, now_sec: float) -> bytes:
        """What the microphone took in the 20 ms that end now; what comes next is decided on the way."""
        self._decide(now_sec)
        self._frames += 1
        if self._phase is not _Phase.SPEAKING:
            return _SILENCE
        turn = self._turns[-1]
        frame = turn.speak(now_sec)
        if turn.spoken:
            self._phase = _Phase.LISTENING
        return frame

    def fail(self, reason: str) -> None:
        """The call cannot go on."""
        if not self.over:
            self.failure = reason
            self._phase = _Phase.OVER

    def result(self, url: str, *, close_code: int | None = None, late_frame_ms: float = 0.0) -> CallResult:
        """What the call gave so far."""
        greeting = self._greeting()
        onset_sec = greeting.onset_sec() if greeting else None
        return CallResult(
            url=url,
            voice=self._plan.voice,
            greeting_ms=None if onset_sec is None else 1000 * (onset_sec - self._called_sec),
            greeting=self.line.replies.get(0),
            greeting_stages_ms=self.line.stages_ms.get(0, {}),
            greeting_longest_wait_ms=greeting.longest_wait_ms() if greeting else 0.0,
            connected_ms=1000 * (self._connected_sec - self._called_sec),
            warm=self.line.warm,
            turns=tuple(turn.result(self.line) for turn in self._turns),
            faults=tuple(self.line.faults),
            failure=self.failure,
            close_code=close_code,
            late_frame_ms=late_frame_ms,
        )

    def _decide(self, now_sec: float) -> None:
        match self._phase:
            case _Phase.GREETING:
                self._hear_greeting(now_sec)
            case _Phase.PAUSE if now_sec >= self._resume_sec:
                self._go_on()
            case _Phase.LISTENING:
                self._hear_answer(now_sec)
            case _:
                pass

    def _greeting(self) -> Answer | None:
        return next((answer for answer in self.line.answers if answer.turn == 0), None)

    def _hear_greeting(self, now_sec: float) -> None:
        greeting, plan = self._greeting(), self._plan
        heard = greeting is not None and greeting.onset_sec() is not None
        if heard and not plan.turns:
            self._phase = _Phase.OVER
        elif heard and self.line.quiet(now_sec):
            self._pause(now_sec)
        elif not heard and now_sec > self._connected_sec + plan.greeting_timeout_sec:
            self.fail(f"no greeting within {plan.greeting_timeout_sec:g} s")
        elif now_sec > self._connected_sec + plan.greeting_timeout_sec + plan.answer_timeout_sec:
            self.fail("the greeting did not end")

    def _hear_answer(self, now_sec: float) -> None:
        turn = self._turns[-1]
        state = turn.listen(self.line, self._plan, now_sec)
        if state is TurnState.OVER:
            self._pause(now_sec)
        elif state is TurnState.HEARING and turn.answer and self._barges_in(turn.answer, now_sec):
            self._speak(interrupting=turn.answer)

    def _barges_in(self, answer: Answer, now_sec: float) -> bool:
        if self._plan.barge_in_ms is None or len(self._turns) == len(self._plan.turns):
            return False
        if self._plan.turns[len(self._turns)][0].pause_sec:
            return False
        due_sec = (answer.onset_sec() or now_sec) + self._plan.barge_in_ms / 1000
        return now_sec >= due_sec and self._may_begin()

    def _pause(self, now_sec: float) -> None:
        self._phase = _Phase.PAUSE
        to_come = self._plan.turns[len(self._turns) :]
        gap_sec = max(self._plan.gap_sec, to_come[0][0].pause_sec if to_come else 0.0)
        self._resume_sec = now_sec + gap_sec + self._plan.jitter() * _MOST_JITTER_SEC

    def _go_on(self) -> None:
        if len(self._turns) == len(self._plan.turns):
            self._phase = _Phase.OVER
        elif self._may_begin():
            self._speak()

    def _may_begin(self) -> bool:
        return self._plan.may_begin(len(self._turns) + 1, self._frames)

    def _speak(self, interrupting: Answer | None = None) -> None:
        script, utterance = self._plan.turns[len(self._turns)]
        number = len(self._turns) + 1
        self._turns.append(Turn(number, script, utterance, len(self.line.answers), interrupting))
        self._phase = _Phase.SPEAKING
