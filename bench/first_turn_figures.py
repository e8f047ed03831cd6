"""From samples to figures: everything that the report says is computed here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from first_turn_arms import COLD, PLAIN, WARM
from first_turn_samples import Samples
from target import Target
from warmline.measure import (
    CallResult,
    Estimate,
    Spread,
    Tally,
    call_cold_tax_ms,
    difference_of_medians,
    median_estimate,
    no_slower,
    percentile,
    ratio_of_medians,
)

__all__ = ["Comparison", "Figures", "TurnFigures", "figures_of"]

# What a first turn that is as fast as the hundredth has to show.
_GREETING_MEDIAN_MS, _GREETING_P95_MS = 40.0, 80.0
_TIMES_COLD, _TIMES_PLAIN = 20.0, 5.0
_COLD_TAX_MS = 15.0
_V2V_MEDIAN_MS, _V2V_P95_MS = 450.0, 1200.0
_LEAST_FOR_VERDICT = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sets of samples: median of the first minus that of the second. No verdict on fewer than five."""

    what: str
    difference_ms: Estimate
    no_slower: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFigures:
    """The calls of one arm. `by_turn_ms` has an estimate for each turn; `steady_ms` is over turns 2..n."""

    calls: int
    by_turn_ms: Sequence[Estimate]
    steady_ms: Spread
    cold_tax_ms: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Arms by name. `times` is how many times as long an arm's greeting takes as Warmline's."""

    greetings_ms: dict[str, Spread]
    times: dict[str, Estimate]
    turns: dict[str, TurnFigures]
    first_and_tenth: Sequence[Comparison]
    parallel_ms: Spread | None
    parallel_right: Tally
    against_base: Sequence[Comparison]
    late_frame_ms: float
    incomplete: int
    targets: Sequence[Target]


def figures_of(samples: Samples, base: str | None) -> Figures:
    """All figures; `base` is the name of the arm of another commit."""
    greetings = {name: _greetings(calls) for name, calls in samples.greetings.items()}
    greetings = {name: values for name, values in greetings.items() if values}
    warm = greetings[WARM.name]
    everything = [*_all(samples.greetings), *_all(samples.calls), *samples.first, *samples.tenth, *samples.parallel]
    spreads = {name: _spread(values) for name, values in greetings.items()}
    times = {name: ratio_of_medians(values, warm) for name, values in greetings.items() if name != WARM.name}
    turns = {name: found for name, calls in samples.calls.items() if (found := _turn_figures(calls)) is not None}
    first_and_tenth = _first_and_tenth(samples)
    parallel = _v2v(samples.parallel)
    right = [turn.expectation_held for call in samples.parallel for turn in call.turns]
    parallel_right = Tally(sum(held is True for held in right), len(right))
    return Figures(
        greetings_ms=spreads,
        times=times,
        turns=turns,
        first_and_tenth=first_and_tenth,
        parallel_ms=_spread(parallel) if parallel else None,
        parallel_right=parallel_right,
        against_base=_against_base(samples, base) if base else (),
        late_frame_ms=percentile([call.late_frame_ms for call in everything], 95),
        incomplete=sum(not call.completed for call in everything),
        targets=[
            *_greeting_targets(spreads, times),
            *_turn_targets(turns.get(WARM.name)),
            *_other_targets(first_and_tenth, parallel_right),
        ],
    )


def _greetings(calls: Iterable[CallResult]) -> list[float]:
    return [call.greeting_ms for call in calls if call.completed and call.greeting_ms is not None]


def _v2v(calls: Iterable[CallResult], turns: range = range(1, 1000)) -> list[float]:
    return [turn.v2v_ms for call in calls for turn in call.turns if turn.v2v_ms is not None and turn.turn in turns]


def _all(by_arm: dict[str, list[CallResult]]) -> list[CallResult]:
    return [call for calls in by_arm.values() for call in calls]


def _spread(values: Sequence[float]) -> Spread:
    return Spread(median_estimate(values), percentile(values, 95))


def _turn_figures(calls: Sequence[CallResult]) -> TurnFigures | None:
    completed = [call for call in calls if call.completed]
    if not completed:
        return None
    turns = range(1, 1 + min(len(call.turns) for call in completed))
    taxes = [tax for call in completed if (tax := call_cold_tax_ms(call)) is not None]
    return TurnFigures(
        calls=len(completed),
        by_turn_ms=[median_estimate(_v2v(completed, range(turn, turn + 1))) for turn in turns],
        steady_ms=_spread(_v2v(completed, range(2, 1000))),
        cold_tax_ms=median_estimate(taxes) if taxes else None,
    )


def _compare(what: str, values: Sequence[float], base: Sequence[float]) -> list[Comparison]:
    if not values or not base:
        return []
    difference = difference_of_medians(values, base)
    return [Comparison(what, difference, no_slower(difference) if difference.n >= _LEAST_FOR_VERDICT else None)]


def _first_and_tenth(samples: Samples) -> list[Comparison]:
    first, tenth = samples.first, samples.tenth
    return [
        *_compare("greeting: first call, compared with the tenth", _greetings(first), _greetings(tenth)),
        *_compare("greeting: tenth call, compared with the first", _greetings(tenth), _greetings(first)),
        *_compare("turn 1: first call, compared with the tenth", _v2v(first), _v2v(tenth)),
        *_compare("turn 1: tenth call, compared with the first", _v2v(tenth), _v2v(first)),
    ]


def _against_base(samples: Samples, base: str) -> list[Comparison]:
    here, there = samples.calls.get(WARM.name, []), samples.calls.get(base, [])
    greetings = samples.greetings
    return [
        *_compare("greeting", _greetings(greetings[WARM.name]), _greetings(greetings[base])),
        *_compare("voice-to-voice, turn 1", _v2v(here, range(1, 2)), _v2v(there, range(1, 2))),
        *_compare("voice-to-voice, later turns", _v2v(here, range(2, 1000)), _v2v(there, range(2, 1000))),
    ]


def _greeting_targets(spreads: dict[str, Spread], times: dict[str, Estimate]) -> list[Target]:
    warm = spreads[WARM.name]
    found = [
        _at_most("warm greeting, median", warm.median.value, _GREETING_MEDIAN_MS),
        _at_most("warm greeting, p95", warm.p95, _GREETING_P95_MS),
    ]
    for arm, least in ((COLD, _TIMES_COLD), (PLAIN, _TIMES_PLAIN)):
        what = f"greeting at least {least:.0f} x faster than {arm.name}"
        ratio = times.get(arm.name)
        found.append(Target(what, f"{ratio.value:.1f} x", ratio.value >= least) if ratio else Target(what, "-", None))
    return found


def _turn_targets(warm: TurnFigures | None) -> list[Target]:
    if warm is None or warm.cold_tax_ms is None:
        return [Target("cold tax and voice-to-voice time", "-", None)]
    return [
        _at_most("cold tax of turn 1", warm.cold_tax_ms.value, _COLD_TAX_MS),
        _at_most("steady voice-to-voice, median", warm.steady_ms.median.value, _V2V_MEDIAN_MS),
        _at_most("steady voice-to-voice, p95", warm.steady_ms.p95, _V2V_P95_MS),
    ]


def _other_targets(first_and_tenth: Sequence[Comparison], parallel: Tally) -> list[Target]:
    verdicts = [comparison.no_slower for comparison in first_and_tenth]
    alike = all(verdicts) if verdicts and None not in verdicts else None
    slower = [comparison.what for comparison in first_and_tenth if comparison.no_slower is False]
    heard = parallel.right == parallel.of if parallel.of else None
    return [
        Target(
            "the tenth call is like the first", "; ".join(slower) or ("-" if alike is None else "neither slower"), alike
        ),
        Target("3 parallel calls: every reply to its own question", f"{parallel.right} of {parallel.of}", heard),
    ]


def _at_most(what: str, value: float, most: float) -> Target:
    return Target(f"{what} at most {most:.0f} ms", f"{value:.0f} ms", value <= most)
