"""What happened, as frozen facts: emitted by everything above, read by who subscribed, needed by nobody in a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "AcquireFailed",
    "CallEnded",
    "CallRefused",
    "CallStarted",
    "CreationFailed",
    "Event",
    "HookAbandoned",
    "LeaseTaken",
    "PoolEvent",
    "ResourceAcquired",
    "ResourceClosed",
    "ResourceCreated",
    "ResourceReleased",
    "SessionFlagged",
    "TokenEvent",
    "TokenRefreshFailed",
    "TokenRefreshed",
    "TurnFinished",
    "WarmUpFinished",
    "WarmUpStepFinished",
    "WarmUpStepRetrying",
    "WarmUpStepStarted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at `at_sec` (monotonic seconds of the emitter's clock)."""

    at_sec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpStepStarted(Event):
    """An attempt at a step of the warm-up began; the first is 1."""

    name: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpStepRetrying(Event):
    """An attempt failed because of `error`; the next begins in `delay_sec`."""

    name: str
    attempt: int
    error: str
    delay_sec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpStepFinished(Event):
    """One step of the warm-up ended in `state`; `verified` says whether it proved what it made, `error` why it did not.

    `ended` of the `total` steps of this run have ended by now. `criticality`: "critical", "wanted" or "optional".
    """

    name: str
    took_ms: float
    verified: bool
    error: str | None = None
    state: str = ""
    evidence: str | None = None
    ended: int = 0
    total: int = 0
    criticality: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpFinished(Event):
    """A run of the warm-up ended: `verified` of `total` steps proved what they made, the `failed` did not succeed."""

    took_ms: float
    verified: int
    total: int
    failed: tuple[str, ...]


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
class LeaseTaken(Event):
    """A call took something exclusive to it from a pool; `tier` is dedicated, warm or cold.

    `acquire_ms` is how long the call waited from asking to having it; what it had prefetched before is not in it.
    """

    session_id: str
    pool: str
    tier: str
    joined: bool
    acquire_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """A call is over and everything that it held was given back; `leases` is what it had taken from pools."""

    session_id: str
    turns: int
    lasted_sec: float
    reason: str
    leases: tuple[LeaseTaken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolEvent(Event):
    """Something that happened in the pool named `pool`."""

    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCreated(PoolEvent):
    """A resource was made and warmed in `took_ms`."""

    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationFailed(PoolEvent):
    """A creation or its warm-up failed; `error` is the name of the exception's type, never its text."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceClosed(PoolEvent):
    """A resource is being closed, for one `cause` (see `CloseCause`)."""

    cause: str
    age_sec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceAcquired(PoolEvent):
    """A caller got a resource; `tier` is dedicated, warm or cold."""

    tier: str
    joined: bool
    waited_ms: float
    session_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquireFailed(PoolEvent):
    """A caller got none; `error` is the name of the exception's type."""

    error: str
    waited_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceReleased(PoolEvent):
    """A use of a resource ended as `use`: fine, cut or broken."""

    use: str
    session_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFlagged(PoolEvent):
    """A session that holds a resource has been silent for `silent_sec`."""

    silent_sec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAbandoned(PoolEvent):
    """A hook ran past its bound; `hook` is the state that its entry was in."""

    hook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEvent(Event):
    """Something that happened to the credential named `credential`. No event holds a key or a token."""

    credential: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefreshed(TokenEvent):
    """A token was issued in `took_ms`, the `epoch`th of its credential, good for `lasts_sec` (infinite for a key)."""

    epoch: int
    took_ms: float
    lasts_sec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefreshFailed(TokenEvent):
    """No token came, for the `failures`th time in a row. `error` is the name of the exception's type, never its text.

    The token at hand is served for another `lasts_sec` (0: there is none).
    """

    error: str
    failures: int
    lasts_sec: float
