"""The core: every entry, its state and its owner, and every transition between them. No `await`, no I/O.

A transition takes an entry from one owner and records the next in the same synchronous step, so no cancellation can
fall between them. What follows from a transition (who is served, what is created, whom the breaker turns away) is
decided in `decide.py`; requests and returns are in `lending.py`, the passage of time in `upkeep.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warmline.events import CreationFailed, ResourceClosed, ResourceCreated
from warmline.pool import decide, prefetching, surplus
from warmline.pool.actions import Action, Do
from warmline.pool.entry import CloseCause, Entry, EntryState
from warmline.pool.ledger import PoolLedger

if TYPE_CHECKING:
    from warmline.pool.tier import Warmth

__all__ = ["PoolState"]

SPARE, LEASED, CLOSING = EntryState.SPARE, EntryState.LEASED, EntryState.CLOSING


class PoolState(PoolLedger):
    """Everything a pool knows. After any call, `actions` and `woken` hold what the shell has to do.

    Invariants (each a named check in `invariants.py`): an entry is in `entries` exactly while it is live, and in
    exactly one of `shelf`, `retiring`, `in_flight`, or leased to one session; a session is in `queue` exactly while it
    has no entry and has not ended.
    """

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

    def created(self, entry: Entry, resource: Any, now: float, error: BaseException | None = None) -> None:
        """The factory gave `resource`: WARMING, or at once ready. Create and warm-up share one time-out.

        With an `error` it is not fit for use, and is closed.
        """
        if resource is None or id(resource) in self.by_resource:
            reason = "no resource" if resource is None else "an object that the pool already holds"
            self.creation_failed(entry, TypeError(f"the factory returned {reason}"), now)
            return
        entry.resource = resource
        entry.made_at = now
        self.by_resource[id(resource)] = entry
        self.counters.created += 1
        if error is not None:
            self.creation_failed(entry, error, now)
        elif self.hooks.warm:
            self._work(entry, EntryState.WARMING, Do.WARM, entry.due_at - now, now)
        else:
            self._ready(entry, now)

    def warmed(self, entry: Entry, warmth: Warmth | None, now: float) -> None:
        """The warm-up proved what it owes."""
        self.counters.warmed += 1
        entry.warmth = warmth
        self._ready(entry, now)

    def _ready(self, entry: Entry, now: float) -> None:
        if entry.alive is not None and not entry.alive():  # else a waiting caller would have one after the other made
            self.creation_failed(entry, ConnectionError("the resource was dead before it was ready"), now)
            return
        took = now - entry.began_at
        self.note_create_sec(took)
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
        """SPARE: verified just now (made, used or kept alive). The caller decides what follows.

        Only a use starts the count of sweeps anew: a keepalive proves that a spare is sound, not that it is wanted.
        """
        entry.state = SPARE
        entry.session = None
        entry.verified_at = now
        if entry.epoch == self.epoch:
            self.shelf.append(entry)
        else:
            self.retiring.append(entry)
        if self.ages:
            self.wake(decide.attention_at(self, entry))
        if self.capacity is not None:
            self.capacity.spare_appeared()

    def retire(self, entry: Entry, cause: CloseCause) -> None:
        """A spare is to go as soon as its replacement stands; until then it is the last resort."""
        self.shelf.remove(entry)
        self.retiring.append(entry)
        entry.cause = cause

    def check(self, entry: Entry, do: Do, now: float, *, for_handout: bool = False) -> None:
        """CHECKING: a spare leaves the shelf, or one that was prefetched its session, for a validation or keepalive."""
        if entry.state is SPARE:
            self._unshelve(entry)
        entry.for_handout = for_handout
        self.counters.validations += do is Do.VALIDATE
        self.counters.keepalives += do is Do.KEEP_ALIVE
        self._work(entry, EntryState.CHECKING, do, self.knobs.hook_timeout_sec, now)

    def checked(self, entry: Entry, failure: CloseCause | None, now: float) -> None:
        """The validation or keepalive ended: back on the shelf, or closed."""
        entry.for_handout = False
        if failure is None and surplus.outstays(self, entry):
            failure = CloseCause.SURPLUS
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
        if ok and surplus.is_surplus(self):
            failure = CloseCause.SURPLUS
        self.counters.recycled += failure is None and entry.doom is None
        self._after_hook(entry, failure, now)

    def _after_hook(self, entry: Entry, failure: CloseCause | None, now: float) -> None:
        cause = entry.doom or failure
        if cause is not None:
            self.close(entry, cause, now)
        else:
            del self.in_flight[entry]
            if entry.promised_to is None or not prefetching.keep_promise(self, entry, now):
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
        """It died. It goes at once, a leased one when its session lets go; False when it was going anyway."""
        if entry.state is SPARE:
            self.close(entry, cause, now)
            decide.pump(self, now)
        elif entry.state is LEASED:
            entry.broken = entry.broken or cause
        elif entry.state is EntryState.WARMING:
            self.actions.append(Action(Do.ABANDON, entry))
            self.creation_failed(entry, ConnectionError("the resource died while it was warmed"), now)
        elif entry.state in (EntryState.CHECKING, EntryState.RESETTING):
            self.actions.append(Action(Do.ABANDON, entry))
            entry.for_handout = False
            self.close(entry, entry.doom or cause, now)
            decide.pump(self, now)
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
        self.note_freed()

    def _unshelve(self, entry: Entry) -> None:
        pile = self.shelf if entry in self.shelf else self.retiring
        pile.remove(entry)

    def _work(self, entry: Entry, state: EntryState, do: Do, limit_sec: float, now: float) -> None:
        entry.state = state
        entry.work_at = now
        entry.due_at = now + limit_sec
        entry.queued_sec = 0.0
        self.in_flight[entry] = None
        self.actions.append(Action(do, entry))
        self.wake(entry.due_at)
