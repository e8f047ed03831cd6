"""From the calls of `agent_rtt.py` to figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent_rtt_call import BARGE_IN, FIRST, LATER, REPLY, SILENCE, STATES
from target import Target
from warmline.measure import CallResult, Estimate, TurnResult, median, median_estimate, percentile

__all__ = ["Figures", "Sample", "StateFigures", "figures_of"]

_COLD_TAX_MS, _ALIKE_MS = 30.0, 15.0
_LEAST_CALLS_FOR_VERDICT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The call `number` of an arm. `silence_sec` was between its last turn and the one before."""

    arm: str
    number: int
    silence_sec: float
    call: CallResult

    @property
    def fault(self) -> str | None:
        """Why it does not count."""
        if not self.call.completed or len(self.call.turns) < len(STATES):
            turns = "; ".join(f"turn {turn.turn}: {turn.failure}" for turn in self.call.turns if turn.failure)
            return self.call.failure or "; ".join(self.call.faults) or turns or "a turn is missing"
        wrong = [turn.turn for turn in self.call.turns if _cut(turn.turn) == (turn.reply == REPLY)]
        return f"turns {wrong}: not answered as planned" if wrong else None

    def __str__(self) -> str:
        shown = (f"{_v2v(turn):.0f} ({_model(turn):.0f})" for turn in self.call.turns) if not self.fault else ()
        return f"{self.arm}, call {self.number}: {self.fault or ' '.join(shown)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFigures:
    """One state of one arm. `more_*` is by how much a turn takes longer than the later turns of the same call."""

    v2v_ms: Estimate
    model_ms: Estimate
    decided_ms: Estimate
    more_v2v_ms: Estimate
    more_model_ms: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """By arm and state."""

    states: Mapping[str, Mapping[str, StateFigures]]
    calls: int
    incomplete: int
    late_frame_ms: float
    silences_sec: tuple[float, float]
    targets: Sequence[Target]


def figures_of(samples: Sequence[Sample], arms: Sequence[str]) -> Figures:
    """All figures; the targets are those of the first of `arms`."""
    good = [sample for sample in samples if sample.fault is None]
    calls = {arm: [sample.call for sample in good if sample.arm == arm] for arm in arms}
    states = {
        arm: {state: _state(found, state) for state in dict.fromkeys(STATES.values())}
        for arm, found in calls.items()
        if found
    }
    silences_sec = [sample.silence_sec for sample in good]
    return Figures(
        states=states,
        calls=len(samples),
        incomplete=len(samples) - len(good),
        late_frame_ms=percentile([sample.call.late_frame_ms for sample in samples], 95),
        silences_sec=(min(silences_sec, default=0.0), max(silences_sec, default=0.0)),
        targets=_targets(states.get(arms[0], {}), len(calls[arms[0]]) >= _LEAST_CALLS_FOR_VERDICT),
    )


def _state(calls: Sequence[CallResult], state: str) -> StateFigures:
    turns = [turn for call in calls for turn in _turns(call, state)]
    return StateFigures(
        v2v_ms=median_estimate([_v2v(turn) for turn in turns]),
        model_ms=median_estimate([_model(turn) for turn in turns]),
        decided_ms=median_estimate([_between(turn, "vad_stop", "turn_decided") for turn in turns]),
        more_v2v_ms=median_estimate([each for call in calls for each in _more(call, state, _v2v)]),
        more_model_ms=median_estimate([each for call in calls for each in _more(call, state, _model)]),
    )


def _turns(call: CallResult, state: str) -> list[TurnResult]:
    return [turn for turn in call.turns if STATES[turn.turn] == state]


def _more(call: CallResult, state: str, measure: Callable[[TurnResult], float]) -> list[float]:
    usual = median([measure(turn) for turn in _turns(call, LATER)])
    return [measure(turn) - usual for turn in _turns(call, state)]


def _cut(turn: int) -> bool:
    """Whether the answer of this turn was interrupted while the model still wrote."""
    return STATES.get(turn + 1) == BARGE_IN


def _v2v(turn: TurnResult) -> float:
    assert turn.v2v_ms is not None, "the call was completed"
    return turn.v2v_ms


def _model(turn: TurnResult) -> float:
    return _between(turn, "llm_sent", "llm_first_token")


def _between(turn: TurnResult, earlier: str, later: str) -> float:
    return turn.stages_ms[later] - turn.stages_ms[earlier]


def _targets(states: Mapping[str, StateFigures], enough: bool) -> list[Target]:
    return [
        target
        for state, what, most_ms in (
            (FIRST, "cold tax", _COLD_TAX_MS),
            (BARGE_IN, "turn after a barge-in, more than others", _ALIKE_MS),
            (SILENCE, "turn after a silence, more than others", _ALIKE_MS),
        )
        if state in states
        for target in (
            _at_most(f"{what}, at the ear", states[state].more_v2v_ms, most_ms, enough),
            _at_most(f"{what}, of the model", states[state].more_model_ms, most_ms, enough),
        )
    ]


def _at_most(what: str, found: Estimate, most_ms: float, enough: bool) -> Target:
    met = found.value <= most_ms if enough else None
    return Target(
        f"{what}: at most {most_ms:.0f} ms", f"{found.value:.0f} ms ({found.low:.0f} to {found.high:.0f})", met
    )
