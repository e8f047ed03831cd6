"""The core: every entry, its state and its owner, and every transition between them. No `await`, no I/O.

A transition takes an entry from one owner and records the next in the same synchronous step, so no cancellation can
fall between them. What follows from a transition (who is served, what is created, whom the breaker turns away) is
decided in `decide.py`; requests and returns are in `lending.py`, the passage of time in `upkeep.py`.
"""

from __future__ import annotations

import heapq
import math
import statistics
from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from warmline.events import CreationFailed, ResourceClosed, ResourceCreated
from warmline.pool import decide
from warmline.pool.actions import Action, Do
from warmline.pool.breaker import Breaker
from warmline.pool.budget import CreationBudget
from warmline.pool.counters import Counters
from warmline.pool.entry import CloseCause, Entry, EntryState

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.clock import Clock
    from warmline.errors import PoolError
    from warmline.events import Event
    from warmline.pool.capacity import Capacity
    from warmline.pool.knobs import PoolKnobs
    from warmline.pool.sessions import Session, Waiter
    from warmline.pool.tier import Warmth

__all__ = ["HookSet", "Phase", "PoolState"]

SPARE, LEASED, CLOSING = EntryState.SPARE, EntryState.LEASED, EntryState.CLOSING
_IN_MAKING = (EntryState.CREATING, EntryState.WARMING)


class Phase(Enum):
    """The pool's own life."""

    NEW = "new"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSet:
    """Which optional hooks the pool has."""

    warm: bool = False
    validate: bool = False
    keepalive: bool = False
    reset: bool = False
    active: bool = False


class PoolState:
    """Everything a pool knows. After any call, `actions` and `woken` hold what the shell has to do.

    Invariants (each a named check in `invariants.py`): an entry is in `entries` exactly while it is live, and in
    exactly one of `shelf`, `retiring`, `in_flight`, or leased to one session; a session is in `queue` exactly while it
    has no entry and has not ended.
    """

    def __init__(
        self,
        knobs: PoolKnobs,
        clock: Clock,
        hooks: HookSet,
        *,
        budget: CreationBudget | None = None,
        capacity: Capacity | None = None,
    ) -> None:
        self.knobs = knobs
        self.clock = clock
        self.hooks = hooks
        self.budget: CreationBudget = budget or CreationBudget(knobs.creates_per_minute)
        self.capacity = capacity
        self.breaker: Breaker = Breaker(clock, knobs.retry_min_sec, knobs.retry_max_sec)
        self.counters: Counters = Counters()
        self.emit: Callable[[Event], None] | None = None  # set only while someone subscribes
        self.prefer: Callable[[Any], float] | None = None  # of the safe spares, the one with the greatest goes first

        self.phase = Phase.NEW
        self.suspended = False
        self.open = False  # the phase, in one look
        self.lending = False  # open and not suspended, in one look
        self.first_fill = False  # prepare() fills the floor even where background refill is off
        self.set_floor(knobs.warm_pool_size)
        self.max_size: float = math.inf if knobs.max_size is None else knobs.max_size
        self.ceiling = self.max_size  # above max_size only after a resize below what was live
        self.epoch = 0
        self.seq: int = 0
        self.last_served_seq = 0
        self.typical_create_sec: float | None = None
        self._recent_create_sec: deque[float] = deque(maxlen=31)

        self.entries: dict[Entry, None] = {}
        self.by_resource: dict[int, Entry] = {}
        self.shelf: deque[Entry] = deque()  # longest idle first
        self.retiring: deque[Entry] = deque()  # spares that go once their replacement is ready
        self.in_flight: dict[Entry, None] = {}  # a hook is running on them
        self.sessions: dict[str, Session] = {}
        self.queue: OrderedDict[Session, None] = OrderedDict()
        self.waiting: int = 0
        self.deadlines: list[tuple[float, int, Waiter]] = []

        self.actions: list[Action] = []
        self.woken: list[Waiter] = []
        self.wake_at: float = math.inf
        self.sweep_at: float = math.inf
        self.fresh_since: float = -math.inf  # spares verified before are due for a keepalive
        k = knobs
        self.ages: bool = not (k.max_idle_sec is None and k.max_lifetime_sec is None and self.keepalive_sec is None)
        # No return needs more than a look at the entry: no reset, no limits of age, no second thoughts.
        self.simple: bool = k.recycle and not (hooks.reset or hooks.validate or self.ages)
        self.picky: bool = hooks.validate or k.max_idle_sec is not None or k.max_lifetime_sec is not None

    # --- what follows from the knobs -------------------------------------------------------------------------------

    def set_floor(self, floor: int) -> None:
        """How many spares to keep, and with it above how many a return closes."""
        self.floor = floor
        self.max_spares: int = 2 * floor + 2 if self.knobs.max_spares is None else max(self.knobs.max_spares, floor)

    @property
    def keepalive_sec(self) -> float | None:
        """Seconds between the keepalives of a spare; None without a keepalive hook or an interval."""
        return self._interval_sec if self.hooks.keepalive else None

    @property
    def _interval_sec(self) -> float | None:
        if self.knobs.keepalive_interval_sec is not None:
            return self.knobs.keepalive_interval_sec
        return None if self.knobs.max_idle_sec is None else self.knobs.max_idle_sec / 2

    @property
    def validate_after_sec(self) -> float:
        """A spare verified longer ago than this is validated before it is handed out."""
        if self.knobs.validate_after_sec is not None:
            return self.knobs.validate_after_sec
        return 1.5 * (self._interval_sec or 0.0)

    # --- counts ----------------------------------------------------------------------------------------------------

    @property
    def live(self) -> int:
        """Resources that exist or are being made, up to the end of their close."""
        return len(self.entries)

    @property
    def spares(self) -> int:
        """Ready for whoever asks."""
        return len(self.shelf) + len(self.retiring)

    @property
    def leased(self) -> int:
        """Held by sessions."""
        return len(self.entries) - len(self.shelf) - len(self.retiring) - len(self.in_flight)

    def count(self, *states: EntryState) -> int:
        """Entries with a running hook that are in one of `states`."""
        return sum(entry.state in states for entry in self.in_flight)

    def error(self, kind: type[PoolError], message: str) -> PoolError:
        """An error that carries the counts; its cause is the last failed creation, if the provider still fails."""
        counts = {"spare": self.spares, "leased": self.leased, "waiting": self.waiting}
        error = kind(message, pool=self.knobs.name, creating=self.count(*_IN_MAKING), **counts)
        error.__cause__ = self.breaker.last_error
        return error

    def tick_seq(self) -> int:
        """The next place in the pool's one order of events."""
        self.seq += 1
        return self.seq

    def wake(self, at: float) -> None:
        """Time must be looked at again no later than `at`."""
        if at < self.wake_at:
            self.wake_at = at

    def watch_deadline(self, waiter: Waiter) -> None:
        """Expire `waiter` at its deadline, through the one shared timer."""
        self.waiting += 1
        if waiter.deadline == math.inf:
            return
        if len(self.deadlines) > 64 and len(self.deadlines) > 4 * self.waiting:
            self.deadlines = [item for item in self.deadlines if not item[2].done]
            heapq.heapify(self.deadlines)
        heapq.heappush(self.deadlines, (waiter.deadline, waiter.asked_seq, waiter))
        self.wake(waiter.deadline)

    # --- a resource comes to be ------------------------------------------------------------------------------------

    def begin_creation(self, now: float, *, background: bool) -> Entry:
        """CREATING: the budget is spent, the place below max_size taken."""
        stagger = self.clock.jitter(0.0, 1.0)
        entry = Entry(epoch=self.epoch, background=background, began_at=now, began_seq=self.tick_seq(), stagger=stagger)
        self.budget.spend(now)
        self.counters.create_starts += 1
        self.entries[entry] = None
        if self.capacity is not None:
            self.capacity.take()
        self._work(entry, EntryState.CREATING, Do.CREATE, self.knobs.create_timeout_sec, now)
        return entry

    def created(self, entry: Entry, resource: Any, now: float) -> None:
        """The factory gave `resource`: WARMING, or at once ready. Create and warm-up share one time-out."""
        if resource is None or id(resource) in self.by_resource:
            reason = "no resource" if resource is None else "an object that the pool already holds"
            self.creation_failed(entry, TypeError(f"the factory returned {reason}"), now)
            return
        entry.resource = resource
        entry.made_at = now
        self.by_resource[id(resource)] = entry
        self.counters.created += 1
        if self.hooks.warm:
            self._work(entry, EntryState.WARMING, Do.WARM, entry.due_at - now, now)
        else:
            self._ready(entry, now)

    def warmed(self, entry: Entry, warmth: Warmth | None, now: float) -> None:
        """The warm-up proved what it owes."""
        self.counters.warmed += 1
        entry.warmth = warmth
        self._ready(entry, now)

    def _ready(self, entry: Entry, now: float) -> None:
        took = now - entry.began_at
        self._recent_create_sec.append(took)
        self.typical_create_sec = statistics.median(self._recent_create_sec)
        self.breaker.succeeded()
        del self.in_flight[entry]
        entry.ready_seq = self.tick_seq()
        if self.emit is not None:
            self.emit(ResourceCreated(at_sec=now, pool=self.knobs.name, took_ms=took * 1e3))
        self.shelve(entry, now)
        decide.pump(self, now)

    def creation_failed(self, entry: Entry, error: BaseException, now: float) -> None:
        """The factory or the warm-up failed or ran out of time. A resource that was made is closed."""
        self.counters.create_failures += 1
        self.breaker.failed(entry, error, now)
        if self.emit is not None:
            self.emit(CreationFailed(at_sec=now, pool=self.knobs.name, error=type(error).__name__))
        self._unmake(entry, CloseCause.WARM_FAILED, now)
        decide.pump(self, now)

    def call_off(self, entry: Entry, cause: CloseCause, now: float) -> None:
        """The pool no longer wants a resource that is being made."""
        self.actions.append(Action(Do.ABANDON, entry))
        self.breaker.withdrawn(entry)
        self._unmake(entry, cause, now)

    def _unmake(self, entry: Entry, cause: CloseCause, now: float) -> None:
        if entry.resource is None:
            self._gone(entry)
        else:
            self.close(entry, cause, now)

    # --- a resource waits, works and goes --------------------------------------------------------------------------

    def shelve(self, entry: Entry, now: float) -> None:
        """SPARE: verified just now (made, used or kept alive). The caller decides what follows."""
        entry.state = SPARE
        entry.session = None
        entry.verified_at = now
        entry.sweeps = 0
        if entry.epoch == self.epoch:
            self.shelf.append(entry)
        else:
            self.retiring.append(entry)
        if self.ages:
            self.wake(decide.attention_at(self, entry))

    def retire(self, entry: Entry, cause: CloseCause) -> None:
        """A spare is to go as soon as its replacement stands; until then it is the last resort."""
        self.shelf.remove(entry)
        self.retiring.append(entry)
        entry.cause = cause

    def check(self, entry: Entry, do: Do, now: float, *, for_handout: bool = False) -> None:
        """CHECKING: a spare leaves the shelf for a validation or a keepalive."""
        self._unshelve(entry)
        entry.for_handout = for_handout
        self.counters.validations += do is Do.VALIDATE
        self.counters.keepalives += do is Do.KEEP_ALIVE
        self._work(entry, EntryState.CHECKING, do, self.knobs.hook_timeout_sec, now)

    def checked(self, entry: Entry, failure: CloseCause | None, now: float) -> None:
        """The validation or keepalive ended: back on the shelf, or closed."""
        entry.for_handout = False
        self._after_hook(entry, failure, now)
        if self.ages:
            self.wake(now)  # a keepalive may have been waiting for this one

    def reset(self, entry: Entry, now: float) -> None:
        """RESETTING: given back, not yet trusted."""
        self._work(entry, EntryState.RESETTING, Do.RESET, self.knobs.hook_timeout_sec, now)

    def reset_done(self, entry: Entry, *, ok: bool, now: float) -> None:
        """The reset ended: recycled, or closed and never lent again."""
        self.counters.resets += ok
        failure = None if ok else CloseCause.RESET_FAILED
        if ok and decide.is_surplus(self):
            failure = CloseCause.SURPLUS
        self.counters.recycled += failure is None and entry.doom is None
        self._after_hook(entry, failure, now)

    def _after_hook(self, entry: Entry, failure: CloseCause | None, now: float) -> None:
        cause = entry.doom or failure
        if cause is not None:
            self.close(entry, cause, now)
        else:
            del self.in_flight[entry]
            self.shelve(entry, now)
        decide.pump(self, now)

    def close(self, entry: Entry, cause: CloseCause, now: float) -> None:
        """CLOSING, exactly once, for exactly one cause."""
        if entry.state is SPARE:
            self._unshelve(entry)
        entry.session = None
        entry.cause = cause
        entry.closes += 1
        self.counters.closed[cause] += 1
        if self.emit is not None:
            age = now - entry.made_at
            self.emit(ResourceClosed(at_sec=now, pool=self.knobs.name, cause=cause.value, age_sec=age))
        self._work(entry, CLOSING, Do.CLOSE, self.knobs.hook_timeout_sec, now)

    def invalidate(self, entry: Entry, cause: CloseCause, now: float) -> bool:
        """It died. A spare goes at once, a leased one when its session lets go; False when it was going anyway."""
        if entry.state is SPARE:
            self.close(entry, cause, now)
            decide.pump(self, now)
        elif entry.state is LEASED:
            entry.broken = entry.broken or cause
        elif entry.state is EntryState.WARMING:
            self.actions.append(Action(Do.ABANDON, entry))
            self.creation_failed(entry, ConnectionError("the resource died while it was warmed"), now)
        elif entry.state in (EntryState.CHECKING, EntryState.RESETTING):
            entry.doom = entry.doom or cause
        else:
            return False
        return True

    def closed(self, entry: Entry, now: float) -> None:
        """The close ended, well or not: the entry's place is free."""
        self._gone(entry)
        decide.pump(self, now)

    def _gone(self, entry: Entry) -> None:
        entry.state = EntryState.CLOSED
        self.in_flight.pop(entry, None)
        del self.entries[entry]
        if entry.resource is not None:
            del self.by_resource[id(entry.resource)]
        self.ceiling = max(self.max_size, min(self.ceiling, self.live))
        if self.capacity is not None:
            self.capacity.give_back()

    def _unshelve(self, entry: Entry) -> None:
        pile = self.shelf if entry in self.shelf else self.retiring
        pile.remove(entry)

    def _work(self, entry: Entry, state: EntryState, do: Do, limit_sec: float, now: float) -> None:
        entry.state = state
        entry.work_at = now
        entry.due_at = now + limit_sec
        self.in_flight[entry] = None
        self.actions.append(Action(do, entry))
        self.wake(entry.due_at)
