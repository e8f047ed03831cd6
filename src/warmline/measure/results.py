"""What a call gave, as plain frozen facts that go to JSON as they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CallResult", "TurnResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    """One turn at the caller's ear. `failure` says why there is no voice-to-voice time."""

    turn: int
    said: str
    intent: str = ""
    wording: str = ""
    v2v_ms: float | None = None
    transcript: str | None = None
    reply: str | None = None
    expectation: str | None = None
    expectation_held: bool | None = None
    interrupted: bool = False
    silenced_ms: float | None = None
    longest_silence_ms: float = 0.0
    longest_wait_ms: float = 0.0
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """One call. `greeting_ms` runs from the start of the connection (or of the server's process, when it was spawned).

    `failure` is why the call is not complete; `faults` are breaches of the wire protocol, which fail it too.
    `late_frame_ms` is how late the caller's own worst frame left: a large one means a machine too busy to measure on.
    """

    url: str
    voice: str = ""
    greeting_ms: float | None = None
    greeting: str | None = None
    greeting_stages_ms: Mapping[str, float] = field(default_factory=dict)
    greeting_longest_wait_ms: float = 0.0
    connected_ms: float | None = None
    warm: str | None = None
    turns: tuple[TurnResult, ...] = ()
    faults: tuple[str, ...] = ()
    failure: str | None = None
    close_code: int | None = None
    late_frame_ms: float = 0.0

    @property
    def completed(self) -> bool:
        """Greeting and every turn were heard, and the protocol was kept."""
        return not self.failure and not self.faults and all(turn.failure is None for turn in self.turns)

    @property
    def expectations_held(self) -> bool:
        """Every reply with an expectation met it."""
        return all(turn.expectation_held is not False for turn in self.turns)
