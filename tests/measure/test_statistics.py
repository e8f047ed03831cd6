"""Statistics against values computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmline.measure import (
    Estimate,
    cold_tax_ms,
    difference_of_medians,
    median,
    median_estimate,
    no_slower,
    percentile,
    ratio_of_medians,
)

SAMPLES = st.lists(st.floats(1, 1000), min_size=1, max_size=30)


def test_median_of_odd_and_even_counts() -> None:
    assert median([3, 1, 2]) == 2
    assert median([4, 1, 3, 2]) == 2.5


def test_percentile_interpolates_between_ranks() -> None:
    # Rank 0.95 * (5 - 1) = 3.8, so 40 + 0.8 * (50 - 40).
    assert percentile([50, 10, 40, 20, 30], 95) == pytest.approx(48)
    assert percentile([7], 95) == 7


def test_no_values_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        median([])


def test_cold_tax_is_the_first_turn_minus_the_median_of_the_others() -> None:
    assert cold_tax_ms([500, 400, 410, 390, 460]) == 500 - 405
    assert cold_tax_ms([390, 400, 410, 390, 460]) == 390 - 405
    assert cold_tax_ms([500, 400, 410, 390]) is None


def test_the_median_of_equal_values_is_certain() -> None:
    assert median_estimate([5.0] * 10) == Estimate(5.0, 5.0, 5.0, 10)


def test_the_interval_of_two_values_spans_them() -> None:
    # Resampled medians are 0, 5 and 10 with chances 1/4, 1/2, 1/4: the middle 95 % reaches both ends.
    assert median_estimate([0.0, 10.0]) == Estimate(5.0, 0.0, 10.0, 2)


def test_the_interval_of_three_values() -> None:
    # The median of three draws is the smallest value with chance 3*(1/3)^2*(2/3)+(1/3)^3 = 7/27: beyond 2.5 %.
    assert median_estimate([1.0, 2.0, 30.0]) == Estimate(2.0, 1.0, 30.0, 3)


def test_difference_and_ratio_of_constant_samples() -> None:
    assert difference_of_medians([30.0] * 4, [10.0] * 6) == Estimate(20.0, 20.0, 20.0, 4)
    assert ratio_of_medians([30.0] * 4, [10.0] * 6) == Estimate(3.0, 3.0, 3.0, 4)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-3, 8, True), (0, 8, True), (1, 4.9, True), (1, 5, False), (6, 9, False), (-9, -6, True)],
)
def test_no_slower_includes_zero_or_lies_below_five_milliseconds(low: float, high: float, verdict: bool) -> None:
    assert no_slower(Estimate((low + high) / 2, low, high, 30)) is verdict


@given(SAMPLES)
def test_intervals_hold_within_the_sample_and_repeat(values: list[float]) -> None:
    estimate = median_estimate(values, seed=7)
    assert estimate == median_estimate(values, seed=7)
    assert min(values) <= estimate.low <= estimate.high <= max(values)


@given(SAMPLES)
def test_a_sample_is_no_slower_than_itself(values: list[float]) -> None:
    assert no_slower(difference_of_medians(values, values))
