"""What happened, as frozen facts: emitted by everything above, read by who subscribed, needed by nobody in a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CallEnded", "CallRefused", "CallStarted", "Event", "TurnFinished", "WarmUpStepFinished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at `at_sec` (monotonic seconds of the emitter's clock)."""

    at_sec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpStepFinished(Event):
    """One step of the warm-up ended; `verified` says whether it proved what it made, `error` why it did not."""

    name: str
    took_ms: float
    verified: bool
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(Event):
    """A caller was admitted."""

    session_id: str
    active_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused(Event):
    """A caller was turned away; `reason` is what it was told."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(Event):
    """A turn was answered (0 is the greeting); `stages_ms` maps stage names to milliseconds since the call began."""

    session_id: str
    turn: int
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """A call is over and everything that it held was given back."""

    session_id: str
    turns: int
    lasted_sec: float
    reason: str
