"""Many calls in a few figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from warmline.measure.results import CallResult, TurnResult
from warmline.measure.statistics import Estimate, cold_tax_ms, median_estimate, percentile

__all__ = ["Spread", "Summary", "Tally", "call_cold_tax_ms", "summarize"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median with its 95 % interval, and the 95th percentile."""

    median: Estimate
    p95: float


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of how many turns met their expectation."""

    right: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None of none."""
        return self.right / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`None` where nothing was measured. Cold tax is over the calls of five and more turns of the same utterance."""

    calls: int
    completed: int
    greeting_ms: Spread | None
    v2v_ms: Spread | None
    first_turn_ms: Spread | None
    later_turns_ms: Spread | None
    cold_tax_ms: Estimate | None
    right: Tally
    right_known: Tally
    right_unseen: Tally


def summarize(calls: Sequence[CallResult], *, seed: int = 0) -> Summary:
    """Put the figures of these calls together."""
    turns = [turn for call in calls for turn in call.turns]
    taxes = [tax for call in calls if (tax := call_cold_tax_ms(call)) is not None]
    return Summary(
        calls=len(calls),
        completed=sum(call.completed for call in calls),
        greeting_ms=_spread((call.greeting_ms for call in calls), seed),
        v2v_ms=_spread((turn.v2v_ms for turn in turns), seed),
        first_turn_ms=_spread((turn.v2v_ms for turn in turns if turn.turn == 1), seed),
        later_turns_ms=_spread((turn.v2v_ms for turn in turns if turn.turn > 1), seed),
        cold_tax_ms=median_estimate(taxes, seed=seed) if taxes else None,
        right=_tally(turns),
        right_known=_tally(turn for turn in turns if turn.wording == "known"),
        right_unseen=_tally(turn for turn in turns if turn.wording == "unseen"),
    )


def call_cold_tax_ms(call: CallResult) -> float | None:
    """The cold tax of one call; None unless all its turns were answered, are five or more, and the same utterance."""
    v2v_ms = [turn.v2v_ms for turn in call.turns if turn.v2v_ms is not None]
    same = len({turn.said for turn in call.turns}) == 1
    return cold_tax_ms(v2v_ms) if same and len(v2v_ms) == len(call.turns) else None


def _spread(values: Iterable[float | None], seed: int) -> Spread | None:
    measured = [value for value in values if value is not None]
    return Spread(median_estimate(measured, seed=seed), percentile(measured, 95)) if measured else None


def _tally(turns: Iterable[TurnResult]) -> Tally:
    expected = [turn.expectation_held for turn in turns if turn.expectation_held is not None]
    return Tally(sum(expected), len(expected))
