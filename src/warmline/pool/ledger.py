"""Everything a pool knows: its settings, every entry and session by its place, what is due when, and the counts."""

from __future__ import annotations

import heapq
import math
import statistics
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from warmline.pool.breaker import Breaker
from warmline.pool.budget import CreationBudget
from warmline.pool.counters import Counters
from warmline.pool.entry import IN_MAKING
from warmline.pool.phase import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.clock import Clock
    from warmline.errors import PoolError
    from warmline.events import Event
    from warmline.pool.actions import Action
    from warmline.pool.capacity import Capacity
    from warmline.pool.entry import Entry, EntryState
    from warmline.pool.hook_set import HookSet
    from warmline.pool.knobs import PoolKnobs
    from warmline.pool.sessions import Session, Waiter

__all__ = ["PoolLedger"]


class PoolLedger:
    """What `PoolState` changes and everybody else reads."""

    queued_sec: Callable[[Entry], float]
    """How long the hook that runs on an entry waited for a thread; whoever runs the hooks sets it."""

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
        self.ceiling: float = self.max_size  # above max_size only after a resize below what was live
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
        self.superseded: dict[Session, None] = {}  # hold what died; whoever asks in their name gets another
        self.queue: OrderedDict[Session, None] = OrderedDict()
        self.waiting: int = 0
        self.deadlines: list[tuple[float, int, Waiter]] = []

        self.actions: list[Action] = []
        self.woken: list[Waiter] = []
        self.wake_at: float = math.inf
        self.sweep_at: float = math.inf
        self.looked_at: float = -math.inf  # when time was last looked at
        self.fresh_since: float = -math.inf  # spares verified before are due for a keepalive
        k = knobs
        self.ages: bool = not (k.max_idle_sec is None and k.max_lifetime_sec is None and self.keepalive_sec is None)
        # No return needs more than a look at the entry: no reset, no limits of age, no other pools, no second thoughts.
        self.simple: bool = k.recycle and capacity is None and not (hooks.reset or hooks.validate or self.ages)
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
    def current_spares(self) -> int:
        """Spares that a rotation has not made old."""
        return len(self.shelf) + sum(entry.epoch == self.epoch for entry in self.retiring)

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
        error = kind(message, pool=self.knobs.name, creating=self.count(*IN_MAKING), **counts)
        error.__cause__ = self.breaker.last_error
        return error

    def note_create_sec(self, took_sec: float) -> None:
        """A creation took so long, warm-up included: the typical one is the median of the last."""
        self._recent_create_sec.append(took_sec)
        self.typical_create_sec = statistics.median(self._recent_create_sec)

    def note_freed(self) -> None:
        """One fewer lives: after a resize below what was live, there is no way back up."""
        self.ceiling = max(self.max_size, min(self.ceiling, self.live))
        if self.capacity is not None:
            self.capacity.give_back()

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
