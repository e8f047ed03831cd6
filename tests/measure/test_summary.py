"""Figures over many calls."""

import pytest

from warmline.measure import CallResult, TurnResult, call_cold_tax_ms, summarize


def call(*v2v_ms: float | None, said: str = "hello", greeting_ms: float | None = 30.0, **more: object) -> CallResult:
    turns = tuple(
        TurnResult(turn=number, said=said, v2v_ms=value, failure=None if value else "no answer", **more)  # type: ignore[arg-type]
        for number, value in enumerate(v2v_ms, 1)
    )
    return CallResult(url="ws://x", greeting_ms=greeting_ms, turns=turns)


def test_figures_are_put_together() -> None:
    summary = summarize([call(500, 400, 410, 390, 460), call(480, 400, 400, 400, 400, greeting_ms=50.0)])
    assert (summary.calls, summary.completed) == (2, 2)
    assert summary.greeting_ms is not None
    assert summary.greeting_ms.median.value == 40
    assert summary.first_turn_ms is not None
    assert summary.first_turn_ms.median.value == 490
    assert summary.later_turns_ms is not None
    assert summary.later_turns_ms.median.value == 400
    assert summary.cold_tax_ms is not None
    assert summary.cold_tax_ms.value == (95 + 80) / 2


def test_cold_tax_needs_five_answered_turns_of_one_utterance() -> None:
    assert call_cold_tax_ms(call(500, 400, 400, 400, 400)) == 100
    assert call_cold_tax_ms(call(500, 400, 400, 400)) is None
    assert call_cold_tax_ms(call(500, 400, None, 400, 400, 400)) is None
    mixed = call(500, 400, 400, 400, 400)
    other = call(400, said="bye").turns
    assert call_cold_tax_ms(CallResult(url="ws://x", turns=mixed.turns + other)) is None


def test_intents_are_counted_known_and_unseen_apart() -> None:
    turns = [
        TurnResult(turn=1, said="a", wording="known", v2v_ms=1, expectation_held=True),
        TurnResult(turn=2, said="b", wording="unseen", v2v_ms=1, expectation_held=False),
        TurnResult(turn=3, said="c", wording="unseen", v2v_ms=1, expectation_held=True),
        TurnResult(turn=4, said="d", v2v_ms=1),
    ]
    summary = summarize([CallResult(url="ws://x", turns=tuple(turns))])
    assert (summary.right.right, summary.right.of) == (2, 3)
    assert (summary.right_known.right, summary.right_known.of) == (1, 1)
    assert summary.right_unseen.share == pytest.approx(0.5)


def test_nothing_measured_is_no_figure() -> None:
    summary = summarize([CallResult(url="ws://x", failure="no connection")])
    assert (summary.calls, summary.completed) == (1, 0)
    assert (summary.greeting_ms, summary.v2v_ms, summary.cold_tax_ms) == (None, None, None)
    assert summary.right.share is None
