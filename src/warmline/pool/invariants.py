"""What must hold between any two steps of the event loop, as named checks that users run on their own pools too."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from warmline.pool.decide import needs_check
from warmline.pool.entry import EntryState
from warmline.pool.phase import Phase
from warmline.pool.tier import AllocationTier

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.pool.entry import Entry
    from warmline.pool.sessions import Session
    from warmline.pool.state import PoolState

__all__ = ["CHECKS", "InvariantBroken", "check_state"]

_AT_WORK = {s for s in EntryState if s not in (EntryState.SPARE, EntryState.LEASED, EntryState.CLOSED)}


class InvariantBroken(AssertionError):  # noqa: N818 - it names what happened, like the pool's errors
    """A pool is wrong. `check` is the name of the invariant."""

    def __init__(self, check: str, found: str) -> None:
        super().__init__(f"{check}: {found}")
        self.check = check


def conservation(state: PoolState) -> str | None:
    """spare + leased + creating + warming + closing == live, counted entry by entry and place by place."""
    by_state = Counter(entry.state for entry in state.entries)
    places = {"shelf": state.spares, "in_flight": len(state.in_flight), "leased": state.leased}
    states = {
        "shelf": by_state[EntryState.SPARE],
        "in_flight": sum(by_state[s] for s in _AT_WORK),
        "leased": by_state[EntryState.LEASED],
    }
    if places != states or sum(states.values()) != state.live:
        return f"places {places}, states {states}, live {state.live}"
    return None


def one_owner(state: PoolState) -> str | None:
    """Every live entry is in exactly one place, the one that its state names; nothing else is anywhere."""
    owners = Counter([*state.shelf, *state.retiring, *state.in_flight])
    owners.update(entry for entry in state.entries if entry.session is not None)
    wrong = [entry for entry in state.entries if owners[entry] != 1 or not _in_its_place(state, entry)]
    strangers = [entry for entry in owners if entry not in state.entries]
    return f"{wrong} wrong, {strangers} not live" if wrong or strangers else None


def _in_its_place(state: PoolState, entry: Entry) -> bool:
    if entry.state is EntryState.SPARE:
        return entry in state.shelf or entry in state.retiring
    if entry.state is EntryState.LEASED:
        return entry.session is not None
    return entry in state.in_flight


def one_resource_a_session(state: PoolState) -> str | None:
    """One session a resource, one resource a session, and the registries agree."""
    sessions = [entry.session for entry in state.entries if entry.session is not None]
    if len(set(sessions)) != len(sessions):
        return "a session holds two resources"
    for entry in state.entries:
        if entry.session is not None and entry.session.entry is not entry:
            return "a resource whose session holds another"
        if entry.resource is not None and state.by_resource.get(id(entry.resource)) is not entry:
            return "a resource that is not found by its identity"
    for session in state.sessions.values():
        if (session.entry is None) != (session in state.queue) or session.ended:
            return "a registered session neither waits nor holds"
    return _one_registered(state, [s for s in sessions if s.id is not None]) if state.knobs.session_awareness else None


def _one_registered(state: PoolState, sessions: list[Session]) -> str | None:
    """A session id holds one resource, apart from those that died in the hands of whoever still holds them."""
    superseded = [s for s in sessions if s in state.superseded]
    if len(superseded) != len(state.superseded):
        return "a superseded session that holds nothing"
    if any(s.entry is None or s.entry.broken is None for s in superseded):
        return "a session was superseded, and its resource lives"
    ids = [s.id for s in sessions if s not in state.superseded]
    return "a session id that holds two resources" if len(set(ids)) != len(ids) else None


def live_within_max(state: PoolState) -> str | None:
    """live <= max_size; after a resize below it, live only falls."""
    if state.live > state.ceiling:
        return f"live {state.live} > max {state.max_size}"
    if state.capacity is not None and state.capacity.live > state.capacity.max_size:
        return f"{state.capacity.live} live in the group > {state.capacity.max_size}"
    return None


def creates_bounded(state: PoolState) -> str | None:
    """No more creations at a time than `max_concurrent_creates`."""
    making = state.count(EntryState.CREATING, EntryState.WARMING)
    limit = state.knobs.max_concurrent_creates
    return f"{making} creations at a time, {limit} allowed" if making > limit else None


def creates_within_budget(state: PoolState) -> str | None:
    """Creations in any sliding 60 s <= creates_per_minute."""
    return "more creations in 60 s than the budget allows" if state.budget.overdrawn() else None


def tier_is_true(state: PoolState) -> str | None:
    """WARM only if made and warmed before the caller asked."""
    for entry in state.entries:
        session = entry.session
        if session is None or not session.holders or session.tier is not AllocationTier.WARM:
            continue
        if not 0 < entry.ready_seq < session.asked_seq:
            return f"WARM, but ready at {entry.ready_seq} and asked for at {session.asked_seq}"
    return None


def deadlines_kept(state: PoolState) -> str | None:
    """No caller waits beyond its deadline: somebody looks no later than then, and whoever was due is gone after a look.

    That the clock is past a deadline alone says nothing: the timer may be about to run.
    """
    waiters = [waiter for session in state.queue for waiter in session.waiters]
    late = [w for w in waiters if w.deadline <= state.looked_at or w.deadline < state.wake_at]
    return f"{len(late)} callers wait beyond their deadline" if late else None


def waiting_is_counted(state: PoolState) -> str | None:
    """The gauge of waiting callers is the number of callers that wait."""
    waiting = sum(len(session.waiters) for session in state.queue)
    return f"gauge {state.waiting}, waiting {waiting}" if state.waiting != waiting else None


def closed_once(state: PoolState) -> str | None:
    """Whatever was created is live or was closed, exactly once."""
    if any(entry.closes > 1 for entry in state.entries):
        return "a resource was closed twice"
    held = sum(entry.resource is not None and entry.state is not EntryState.CLOSING for entry in state.entries)
    closed = state.counters.closed.total()
    if state.counters.created != held + closed:
        return f"created {state.counters.created} != held {held} + closed {closed}"
    return None


def no_spare_beside_a_waiter(state: PoolState) -> str | None:
    """Nobody waits beside a spare; a suspended pool, and spares that are due for a check, excepted."""
    if not (state.queue and state.lending):
        return None
    now = state.clock.now()
    checks = sum(entry.for_handout for entry in state.in_flight)
    fit = [entry for entry in [*state.shelf, *state.retiring] if not needs_check(state, entry, now)]
    if fit or (state.spares and checks < len(state.queue)):
        return f"{state.spares} spares beside {len(state.queue)} waiting sessions"
    return None


def first_come_first_served(state: PoolState) -> str | None:
    """Sessions are served in the order in which they asked."""
    order = [session.asked_seq for session in state.queue]
    if order != sorted(order):
        return f"the queue is out of order: {order}"
    if order and state.last_served_seq > order[0]:
        return f"{state.last_served_seq} was served before {order[0]}"
    return None


def closed_means_empty(state: PoolState) -> str | None:
    """After shutdown nothing lives and nobody waits."""
    if state.phase is Phase.CLOSED and (state.entries or state.queue or state.sessions or state.waiting):
        return f"{state.live} live, {state.waiting} waiting after shutdown"
    return None


CHECKS: dict[str, Callable[[PoolState], str | None]] = {
    check.__name__: check
    for check in (
        conservation,
        one_owner,
        one_resource_a_session,
        live_within_max,
        creates_bounded,
        creates_within_budget,
        tier_is_true,
        deadlines_kept,
        waiting_is_counted,
        closed_once,
        no_spare_beside_a_waiter,
        first_come_first_served,
        closed_means_empty,
    )
}


def check_state(state: PoolState) -> None:
    """Run every check.

    Raises:
        InvariantBroken: the first one that fails.
    """
    for name, check in CHECKS.items():
        found = check(state)
        if found is not None:
            raise InvariantBroken(name, found)
