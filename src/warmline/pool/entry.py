"""The pool's record of one resource: in exactly one state, with exactly one owner."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.pool.sessions import Session
    from warmline.pool.tier import Warmth

__all__ = ["IN_MAKING", "CloseCause", "Entry", "EntryState"]


class EntryState(Enum):
    """Each state names its owner."""

    CREATING = "creating"
    """Owned by the running factory; there is no resource yet."""
    WARMING = "warming"
    """Owned by the running warm-up."""
    SPARE = "spare"
    """Owned by the shelf: ready for whoever asks."""
    CHECKING = "checking"
    """A spare, owned by the running validation or keepalive."""
    LEASED = "leased"
    """Owned by a session."""
    RESETTING = "resetting"
    """Given back, owned by the running reset."""
    CLOSING = "closing"
    """Owned by the running close."""
    CLOSED = "closed"
    """Not live; owned by nobody."""


IN_MAKING: tuple[EntryState, EntryState] = (EntryState.CREATING, EntryState.WARMING)


class CloseCause(Enum):
    """Why a resource was closed; every close has exactly one."""

    IDLE = "idle"
    LIFETIME = "lifetime"
    INVALID = "invalid"
    DIED = "died"
    BROKEN = "broken"
    RESET_FAILED = "reset_failed"
    NOT_RECYCLED = "not_recycled"
    DRAINED = "drained"
    SURPLUS = "surplus"
    STALE_SESSION = "stale_session"
    SHUTDOWN = "shutdown"
    WARM_FAILED = "warm_failed"


class Entry:
    """One resource from the start of its creation to the end of its close. Only `PoolState` changes it.

    Times are monotonic seconds of the pool's clock; `*_seq` are places in the pool's one order of events, which tells
    what came first even within one reading of the clock.
    """

    __slots__ = (
        "alive",
        "background",
        "began_at",
        "began_seq",
        "broken",
        "cause",
        "clear",
        "clears_slowly",
        "closes",
        "doom",
        "due_at",
        "epoch",
        "for_handout",
        "made_at",
        "promised_to",
        "queued_sec",
        "ready_seq",
        "resource",
        "session",
        "simple",
        "stagger",
        "state",
        "sweeps",
        "verified_at",
        "warmth",
        "work_at",
    )

    def __init__(self, *, epoch: int, background: bool, began_at: float, began_seq: int, stagger: float) -> None:
        self.state: EntryState = EntryState.CREATING
        self.resource: Any = None
        self.session: Session | None = None
        self.epoch: int = epoch
        self.background: bool = background
        self.began_at: float = began_at
        self.began_seq: int = began_seq
        self.made_at: float = began_at
        self.ready_seq: int = 0
        self.verified_at: float = began_at
        self.work_at: float = began_at
        self.due_at: float = began_at
        self.queued_sec: float = 0.0  # of the running hook, already added to due_at
        self.stagger: float = stagger  # 0..1, drawn once: spreads keepalives and retirements
        self.warmth: Warmth | None = None
        self.alive: Callable[[], bool] | None = None
        self.clear: Callable[[], object] | None = None
        self.clears_slowly: bool = False
        self.simple: bool = True  # neither a signal of life nor a state to clear
        self.for_handout: bool = False
        self.promised_to: str | None = None  # the session that had prefetched it, while it is validated for it
        self.broken: CloseCause | None = None  # the verdict on a leased entry, executed when its session ends
        self.doom: CloseCause | None = None  # the verdict on an entry with a running hook, executed when that ends
        self.cause: CloseCause | None = None
        self.closes: int = 0
        self.sweeps: int = 0

    def __repr__(self) -> str:
        return f"<Entry {self.state.value}>"
