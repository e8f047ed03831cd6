"""From samples to figures: everything that the report says is computed here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_connection_network import FIRST_TOKEN_MS
from llm_connection_states import Found, Sample
from target import Target
from warmline.measure import Estimate, median_estimate, percentile

__all__ = ["Cell", "Figures", "Results", "figures_of", "floor_ms"]

_MARGIN_MS = 15.0
_LARGE_RTTS = 0.8
_OVER_WITHIN_MS = 5000.0
_LEAST_FOR_VERDICT = 5
_OURS = ("warmline", "aiohttp-warmline")
# The ruler's own figure. Under cubic the window shrinks with every pause: it is stated, and no client can change it.
_NOT_ASKED_FOR = ("bare socket",)
# Its warm-up is a HEAD; large prompts are asked for after a warm-up of their size.
_WARMED_SMALL = ("aiohttp-warmline",)


@dataclass(slots=True)
class Results:
    """What was measured, of `states`: by distance, arm and state. `network` is the form that the network had."""

    states: Sequence[str]
    samples: dict[int, dict[str, Found]]
    versions: dict[str, Mapping[str, str]]
    network: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """An arm in a state. `median` None: no caller got an answer; no cell at all: not measurable."""

    median: Estimate | None
    p95: float | None
    errors: int
    of: int


@dataclass(frozen=True, slots=True)
class Figures:
    """`cells` by distance, arm and state; of `states`, those that could not be measured have none."""

    states: Sequence[str]
    cells: Mapping[int, Mapping[str, Mapping[str, Cell]]]
    targets: Sequence[Target]
    errors_of_warmline: int


def floor_ms(rtt_ms: int) -> float:
    """What no client can go below: the request there, the first token back, and what the server takes."""
    return rtt_ms + FIRST_TOKEN_MS


def figures_of(results: Results) -> Figures:
    """All figures."""
    cells = {
        rtt_ms: {
            arm: {state: _cell(found[state]) for state in results.states if found.get(state)}
            for arm, found in arms.items()
        }
        for rtt_ms, arms in results.samples.items()
    }
    ours = [(rtt_ms, name, arms[name]) for rtt_ms, arms in cells.items() for name in _OURS if name in arms]
    targets = [target for rtt_ms, name, states in ours for target in _targets(results.states, rtt_ms, name, states)]
    return Figures(
        results.states, cells, targets, sum(cell.errors for _, _, states in ours for cell in states.values())
    )


def _cell(samples: Sequence[Sample]) -> Cell:
    times = [sample.ms for sample in samples if sample.ms is not None]
    errors = len(samples) - len(times)
    if not times:
        return Cell(None, None, errors, len(samples))
    return Cell(median_estimate(times), percentile(times, 95), errors, len(samples))


def _targets(states: Sequence[str], rtt_ms: int, name: str, cells: Mapping[str, Cell]) -> list[Target]:
    floor, found = floor_ms(rtt_ms), []
    for state in states:
        if state in _NOT_ASKED_FOR or state.endswith("cubic") or (name in _WARMED_SMALL and " KB" in state):
            continue
        cell = cells.get(state)
        if state == "NAT drop, 0 s":
            most, what = _OVER_WITHIN_MS, "p95, over within 5 s"
            value = cell.p95 if cell else None
        else:
            most, what = floor + _allowed_ms(state, rtt_ms), "median"
            value = cell.median.value if cell and cell.median else None
        asked = f"{name}, {rtt_ms} ms, {state}: {what}, at most {most:.0f} ms, no errors"
        if cell is None:
            found.append(Target(asked, "not measurable", None))
        elif value is None:
            found.append(Target(asked, f"{cell.errors} errors", False))
        else:
            met = value <= most and not cell.errors
            said = f"{value:.0f} ms" + (f", {cell.errors} errors" if cell.errors else "")
            found.append(Target(asked, said, met if cell.of >= _LEAST_FOR_VERDICT else None))
    return found


def _allowed_ms(state: str, rtt_ms: int) -> float:
    if state.endswith("bbr"):
        return _LARGE_RTTS * rtt_ms
    return _MARGIN_MS + (rtt_ms if state == "close race" else 0)
