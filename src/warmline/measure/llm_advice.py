"""What to do about cold connections, in a line, with what it would gain."""

from dataclasses import dataclass

from warmline.measure.llm_probe import LlmFindings, LlmState
from warmline.measure.statistics import median

__all__ = ["LlmGain", "advice_for", "gain_of"]

# Below this, a difference of a few requests says nothing.
_NOTICEABLE_MS = 20.0


@dataclass(frozen=True, slots=True)
class LlmGain:
    """How many milliseconds later the first words come than over a warm connection, in the median."""

    cold_ms: float
    idle_ms: float
    barge_in_ms: float


def gain_of(findings: LlmFindings) -> LlmGain:
    """What warm connections would save.

    Raises:
        ValueError: a state was not measured.
    """
    typical = {state: _median_ms(findings, state) for state in LlmState}
    # The best of them is a warm one, whichever that is with this server.
    warm = min(typical.values())
    return LlmGain(
        cold_ms=typical[LlmState.COLD] - warm,
        idle_ms=typical[LlmState.IDLE] - warm,
        barge_in_ms=typical[LlmState.BARGE_IN] - warm,
    )


def advice_for(findings: LlmFindings) -> str:
    """One line."""
    gain = gain_of(findings)
    worth = {
        "on a first request": gain.cold_ms,
        f"after {findings.idle_sec:g} s of silence": gain.idle_ms,
        "after a barge-in": gain.barge_in_ms,
    }
    saved = [f"{ms:.0f} ms {when}" for when, ms in worth.items() if ms >= _NOTICEABLE_MS]
    if not saved:
        return "Nothing to gain: this client's connections are warm in every state that was measured."
    return f"Wrap the client with warmline.connections.http.warm(client). Expected gain: {', '.join(saved)}."


def _median_ms(findings: LlmFindings, state: LlmState) -> float:
    return median([request.first_event_ms for request in findings.requests.get(state, [])])
