"""What follows from a change: who is served, what is created, whom the breaker turns away, which spares may go.

`pump` runs after every transition. It reads and changes a `PoolState`, synchronously, and queues actions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from warmline.errors import CreateFailed
from warmline.pool import lending, prefetching
from warmline.pool.actions import Do
from warmline.pool.entry import CloseCause, Entry, EntryState
from warmline.pool.signals import ENDS_THE_PROCESS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warmline.pool.state import PoolState

__all__ = ["attention_at", "first_choice", "hard_limit", "places_wanted", "pump", "serve"]

REFILL_CREATES = 4  # background creations at a time
STALE_CREATE_FACTOR = 3.0  # in median creations: older ones no longer count as "about to come"
RETIRE_EARLY = 0.1  # of a limit: the least head start of a replacement, and the width of the jitter


def pump(state: PoolState, now: float) -> None:
    """Serve, create, refuse, retire: in this order, until nothing follows any more."""
    serve(state, now)
    _create_for_callers(state, now)
    _create_for_floor(state, now)
    _refuse_while_open(state, now)
    _let_retiring_go(state, now)


def serve(state: PoolState, now: float, trusted_sec: float = 0.0) -> None:
    """Hand spares to whoever has waited longest. A verification younger than `trusted_sec` is trusted in any case."""
    while state.queue and state.lending:
        entry = _pick(state, now, trusted_sec)
        if entry is None:
            return
        session, _ = state.queue.popitem(last=False)
        state.last_served_seq = session.asked_seq
        lending.hand_over(state, entry, session, now)


def first_choice(state: PoolState) -> Entry:
    """The preferred spare, where there are spares and a preference."""
    return max(state.shelf, key=lambda entry: _preference(state, entry))


def _in_order(state: PoolState, pile: Iterable[Entry]) -> list[Entry]:
    """By preference, where there is one; the longest idle first among equals."""
    if state.prefer is None:
        return list(pile)
    return sorted(pile, key=lambda entry: _preference(state, entry), reverse=True)


def _preference(state: PoolState, entry: Entry) -> float:
    try:
        return 0.0 if state.prefer is None else float(state.prefer(entry.resource))
    except ENDS_THE_PROCESS:
        raise
    except BaseException:  # an opinion that cannot be had is none
        return 0.0


def _pick(state: PoolState, now: float, trusted_sec: float) -> Entry | None:
    """The preferred spare that is safe and verified, off its shelf. Meets unsafe ones: closes or checks them."""
    if state.shelf and not state.picky and state.prefer is None and state.shelf[0].alive is None:
        return state.shelf.popleft()
    for pile in (state.shelf, state.retiring):
        for entry in _in_order(state, pile):
            cause = unfit(state, entry, now)
            if cause is not None:
                state.close(entry, cause, now)
            elif not needs_check(state, entry, now, trusted_sec):
                pile.remove(entry)
                return entry
            elif _handout_checks(state) < len(state.queue):
                state.check(entry, Do.VALIDATE, now, for_handout=True)
    return None


def _handout_checks(state: PoolState) -> int:
    return sum(entry.for_handout for entry in state.in_flight)


def unfit(state: PoolState, entry: Entry, now: float) -> CloseCause | None:
    """Why a spare must never be handed out any more."""
    if entry.alive is not None and not entry.alive():
        return CloseCause.DIED
    at, cause = hard_limit(state, entry)
    return cause if now >= at else None


def needs_check(state: PoolState, entry: Entry, now: float, trusted_sec: float = 0.0) -> bool:
    """True when the last verification is too old to trust."""
    return state.hooks.validate and now - entry.verified_at > max(state.validate_after_sec, trusted_sec)


def hard_limit(state: PoolState, entry: Entry) -> tuple[float, CloseCause]:
    """When a spare reaches the provider's limits, and which."""
    idle, lifetime = state.knobs.max_idle_sec, state.knobs.max_lifetime_sec
    idle_at = math.inf if idle is None else entry.verified_at + idle
    lifetime_at = math.inf if lifetime is None else entry.made_at + lifetime
    return (idle_at, CloseCause.IDLE) if idle_at <= lifetime_at else (lifetime_at, CloseCause.LIFETIME)


def retire_limit(state: PoolState, entry: Entry) -> tuple[float, CloseCause]:
    """When to begin a spare's replacement: early enough to finish it before `hard_limit`, spread by the jitter."""
    idle_at = _retire_before(state, entry, entry.verified_at, state.knobs.max_idle_sec)
    lifetime_at = _retire_before(state, entry, entry.made_at, state.knobs.max_lifetime_sec)
    return (idle_at, CloseCause.IDLE) if idle_at < lifetime_at else (lifetime_at, CloseCause.LIFETIME)


def _retire_before(state: PoolState, entry: Entry, since: float, limit: float | None) -> float:
    if limit is None:
        return math.inf
    head_start = max(RETIRE_EARLY * limit, 2.0 * (state.typical_create_sec or 0.0))
    return since + limit - min(head_start + RETIRE_EARLY * limit * entry.stagger, limit / 2)


def keepalive_at(state: PoolState, entry: Entry) -> float:
    """When a spare is due for a round trip; up to a tenth early, each by its own stagger."""
    every = state.keepalive_sec
    if every is not None and entry.verified_at < state.fresh_since:
        return -math.inf
    return math.inf if every is None else entry.verified_at + every * (1.0 - 0.1 * entry.stagger)


def attention_at(state: PoolState, entry: Entry) -> float:
    """When a spare next needs a look."""
    return min(keepalive_at(state, entry), retire_limit(state, entry)[0])


# --- creations -------------------------------------------------------------------------------------------------------


def _create_for_callers(state: PoolState, now: float) -> None:
    """One creation for each waiting session that nothing about to come will serve. No caller waits for a refill."""
    if not (state.queue and state.lending and state.live < state.max_size):
        return
    missing = len(state.queue) - _about_to_come(state, now)
    while missing > 0 and _may_create(state, now):
        at = state.budget.opens_at(caller=True)
        if at > now:
            state.wake(at)
            return
        if state.capacity is not None and not state.capacity.has_room():
            state.capacity.on_short()
            return
        _begin(state, now, background=False)
        missing -= 1
        if state.typical_create_sec is not None:  # look again when it takes unusually long
            state.wake(now + STALE_CREATE_FACTOR * state.typical_create_sec)


def places_wanted(state: PoolState, now: float) -> int:
    """How many places of a full group the callers of this pool could fill at once."""
    if not (state.queue and state.lending and _may_create(state, now)) or state.budget.opens_at(caller=True) > now:
        return 0
    allowed = state.knobs.max_concurrent_creates - state.count(EntryState.CREATING, EntryState.WARMING)
    most = 1 if state.breaker.open else min(allowed, state.max_size - state.live)
    return max(0, int(min(most, len(state.queue) - _about_to_come(state, now))))


def _create_for_floor(state: PoolState, now: float) -> None:
    """Replace what was taken or lost, while no caller waits for the same place."""
    if not (state.lending and has_room(state) and (state.knobs.enable_background_warmup or state.first_fill)):
        return
    while _floor_deficit(state) > 0 and _may_create(state, now):
        if state.capacity is not None and not state.capacity.has_room_for_refill():
            return
        if sum(e.background for e in state.in_flight if _being_made(e)) >= REFILL_CREATES:
            return
        at = max(state.budget.opens_at(caller=False), state.breaker.retry_at)
        if at > now:
            state.wake(at)
            return
        _begin(state, now, background=True)


def _floor_deficit(state: PoolState) -> int:
    """Spares missing below the floor, after the waiting sessions have had theirs. Retiring spares do not count."""
    returning = sum(not _being_made(e) and e.state is not EntryState.CLOSING for e in state.in_flight)
    making = sum(map(_being_made, state.in_flight))
    return state.floor + len(state.queue) - len(state.shelf) - returning - making


def _being_made(entry: Entry) -> bool:
    return entry.state is EntryState.CREATING or entry.state is EntryState.WARMING


def _about_to_come(state: PoolState, now: float) -> int:
    """Entries whose running hook may soon give a resource. One that takes unusually long is not waited for."""
    if state.typical_create_sec is None:
        return sum(_promising(entry) for entry in state.in_flight)
    patience = STALE_CREATE_FACTOR * state.typical_create_sec
    coming = 0
    for entry in state.in_flight:
        if _promising(entry):
            stale_at = (entry.began_at if _being_made(entry) else entry.work_at) + patience
            if stale_at > now:
                coming += 1
                state.wake(stale_at)
    return coming


def _promising(entry: Entry) -> bool:
    return entry.state is not EntryState.CLOSING and entry.doom is None


def _may_create(state: PoolState, now: float) -> bool:
    """Room below this pool's max_size and max_concurrent_creates, and no open breaker in the way."""
    making = state.count(EntryState.CREATING, EntryState.WARMING)
    if state.live >= state.max_size or making >= state.knobs.max_concurrent_creates:
        return False
    if not state.breaker.open:
        return True
    if state.breaker.probe is None and state.breaker.retry_at > now:
        state.wake(state.breaker.retry_at)
    return state.breaker.probe_due(now)


def has_room(state: PoolState) -> bool:
    """True while one more resource may live."""
    return state.live < state.max_size and (state.capacity is None or state.capacity.has_room())


def _begin(state: PoolState, now: float, *, background: bool) -> None:
    entry = state.begin_creation(now, background=background)
    if state.breaker.open:
        state.breaker.probe = entry


# --- outage ----------------------------------------------------------------------------------------------------------


def _refuse_while_open(state: PoolState, now: float) -> None:
    """While the breaker is open nobody waits for a creation, except the one session whose call is the probe."""
    if not (state.breaker.open and state.lending):
        return
    breaker = state.breaker
    served = state.count(EntryState.CHECKING, EntryState.RESETTING)
    for position, session in enumerate(list(state.queue)):
        if position < served or session is breaker.prober or prefetching.promised(state, session.id):
            continue
        if breaker.probe is not None and breaker.prober is None:
            breaker.prober = session
            continue
        state.counters.refused_create_failed += 1
        lending.refuse(state, session, state.error(CreateFailed, "the provider keeps failing"))


# --- make before break -----------------------------------------------------------------------------------------------


def _let_retiring_go(state: PoolState, now: float) -> None:
    """A retiring spare goes once its replacement stands; at the maximum it goes first, and that is counted."""
    if not state.retiring or state.suspended:
        return
    refilling = state.knobs.enable_background_warmup or state.first_fill
    while state.retiring and (state.spares > state.floor or not refilling):
        state.counters.make_before_break += refilling
        _close_retiring(state, now)
    if state.retiring and _only_room_is_missing(state, now):
        state.counters.break_before_make += 1
        _close_retiring(state, now)


def _only_room_is_missing(state: PoolState, now: float) -> bool:
    """True when a replacement could begin, were it not for the maximum, and no place is about to become free."""
    if has_room(state) or any(_being_made(e) or e.state is EntryState.CLOSING for e in state.in_flight):
        return False
    could_begin = max(state.budget.opens_at(caller=False), state.breaker.retry_at) <= now
    return could_begin and _floor_deficit(state) > 0


def _close_retiring(state: PoolState, now: float) -> None:
    entry = state.retiring[0]
    state.close(entry, entry.cause or CloseCause.DRAINED, now)
