"""Medians, percentiles, and how sure of them one may be. Pure functions; every interval is seeded.

Intervals are 95 % percentile bootstraps (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3):
the sample is drawn anew, with replacement, and the middle 95 % of what comes out is the interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Estimate",
    "cold_tax_ms",
    "difference_of_medians",
    "median",
    "median_estimate",
    "no_slower",
    "percentile",
    "ratio_of_medians",
]

RESAMPLES = 10_000
NO_SLOWER_MS = 5.0
_LEAST_TURNS = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the 95 % interval around it; `n` is the size of the (smaller) sample."""

    value: float
    low: float
    high: float
    n: int


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle.

    Raises:
        ValueError: there are no values.
    """
    return percentile(values, 50)


def percentile(values: Sequence[float], percent: float) -> float:
    """Linear interpolation between the two nearest ranks (numpy's and Excel's default).

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return float(np.percentile(np.asarray(values, dtype=float), percent))


def median_estimate(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """The median with its interval."""
    return _estimate(median(values), _resampled_medians(values, np.random.default_rng(seed)), len(values))


def difference_of_medians(values: Sequence[float], base: Sequence[float], *, seed: int = 0) -> Estimate:
    """median(values) - median(base), the two samples drawn independently of each other."""
    random = np.random.default_rng(seed)
    differences = _resampled_medians(values, random) - _resampled_medians(base, random)
    return _estimate(median(values) - median(base), differences, min(len(values), len(base)))


def ratio_of_medians(values: Sequence[float], base: Sequence[float], *, seed: int = 0) -> Estimate:
    """median(values) / median(base): how many times as long `values` take; both must be positive."""
    random = np.random.default_rng(seed)
    ratios = _resampled_medians(values, random) / _resampled_medians(base, random)
    return _estimate(median(values) / median(base), ratios, min(len(values), len(base)))


def no_slower(difference_ms: Estimate) -> bool:
    """Whether the 95 % interval of (this minus base) includes 0 or lies below 5 ms."""
    includes_zero = difference_ms.low <= 0.0 <= difference_ms.high
    return includes_zero or difference_ms.high < NO_SLOWER_MS


def cold_tax_ms(v2v_ms: Sequence[float]) -> float | None:
    """Voice-to-voice time of turn 1 minus the median of turns 2..n; None for fewer than five turns.

    It means something only when every turn was the same utterance.
    """
    return v2v_ms[0] - median(v2v_ms[1:]) if len(v2v_ms) >= _LEAST_TURNS else None


def _resampled_medians(values: Sequence[float], random: np.random.Generator) -> npt.NDArray[np.float64]:
    sample = np.asarray(values, dtype=float)
    medians: npt.NDArray[np.float64] = np.median(random.choice(sample, size=(RESAMPLES, sample.size)), axis=1)
    return medians


def _estimate(value: float, resampled: npt.NDArray[np.float64], n: int) -> Estimate:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Estimate(value, float(low), float(high), n)
