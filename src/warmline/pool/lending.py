"""Requests: sessions take resources, wait for them, join each other, and leave. What they give back: `returning.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmline.errors import PoolClosed, PoolNotReady, PoolSaturated
from warmline.pool import decide, prefetching, returning
from warmline.pool.entry import CloseCause, Entry, EntryState
from warmline.pool.sessions import Session, Use, Waiter
from warmline.pool.tier import AllocationTier

if TYPE_CHECKING:
    from warmline.errors import PoolError
    from warmline.pool.state import PoolState

__all__ = [
    "claim",
    "end_session",
    "enqueue",
    "hand_over",
    "refuse",
    "request",
    "take",
    "withdraw",
]

SPARE, LEASED, RESETTING = EntryState.SPARE, EntryState.LEASED, EntryState.RESETTING
DEDICATED, WARM, COLD = AllocationTier.DEDICATED, AllocationTier.WARM, AllocationTier.COLD


def take(state: PoolState, session_id: str | None, now: float, *, lease: bool = False) -> Session | None:
    """What can be had without waiting: the session's own resource, or a spare that needs no check.

    `session.tier` says which. None: `request` it.
    """
    if session_id is not None and session_id in state.sessions:
        return _take_again(state, state.sessions[session_id], now, lease)
    if state.queue or not state.lending or not state.shelf:
        return None
    entry = state.shelf[0] if state.prefer is None else decide.first_choice(state)
    if (state.picky or entry.alive is not None) and (
        decide.unfit(state, entry, now) is not None or decide.needs_check(state, entry, now)
    ):
        return None
    if state.prefer is None:
        state.shelf.popleft()
    else:
        state.shelf.remove(entry)
    state.seq = state.last_served_seq = seq = state.seq + 1
    session = Session(session_id, seq, now)
    if session_id is not None and state.knobs.session_awareness:
        state.sessions[session_id] = session
    entry.state = LEASED
    entry.session = session
    session.entry = entry
    session.holders = session.grants = 1
    if lease:
        session.leases = 1
    state.counters.warm += 1
    if len(state.shelf) < state.floor:  # replaced on every take
        decide.pump(state, now)
    return session


def _take_again(state: PoolState, session: Session, now: float, lease: bool) -> Session | None:
    entry = session.entry
    if entry is None:
        return None
    if session.prefetched:
        if not prefetching.collect(state, session, entry, now):
            return None
    elif entry.broken is not None or (entry.alive is not None and not entry.alive()):
        _supersede(state, session, entry)
        return None
    else:
        session.tier = DEDICATED
        state.counters.dedicated += 1
    session.holders += 1
    session.grants += 1
    session.leases += lease
    heard_from(session, now)
    return session


def _supersede(state: PoolState, session: Session, entry: Entry) -> None:
    """Its resource died: who holds it keeps it until they let go, whoever asks from now on gets another."""
    entry.broken = entry.broken or CloseCause.DIED
    assert session.id is not None
    del state.sessions[session.id]
    state.superseded[session] = None


def heard_from(session: Session, now: float) -> None:
    """A sign of life."""
    session.alive_at = now
    session.flagged = False


def request(
    state: PoolState, session_id: str | None, now: float, deadline: float, *, lease: bool, patient: bool = True
) -> Waiter:
    """A caller waits: alone, or on the request that its session has already made.

    The waiter may be served or refused at once. One that is not `patient` never causes a creation, and has no time for
    a validation: where no `validate_after_sec` was asked for, it trusts one as old as a validation may take.

    Raises:
        PoolNotReady: before `prepare()`.
        PoolClosed: during or after shutdown.
        PoolSaturated: `max_waiting` callers wait already.
    """
    waiter = enqueue(state, session_id, now, deadline, lease=lease, prefetch=False)
    if patient:
        decide.pump(state, now)
    else:
        trusted = len(state.queue) == 1 and state.knobs.validate_after_sec is None
        decide.serve(state, now, state.knobs.hook_timeout_sec if trusted else 0.0)
    return waiter


def enqueue(
    state: PoolState, session_id: str | None, now: float, deadline: float, *, lease: bool, prefetch: bool
) -> Waiter:
    """Wait on behalf of a session, that waits already or joins the queue; raises as `request`."""
    seq = state.tick_seq()
    session = None if session_id is None else state.sessions.get(session_id)
    if session is None:
        _admit(state, session_id, prefetch)
        session = Session(session_id, seq, now)
        if session_id is not None and state.knobs.session_awareness:
            state.sessions[session_id] = session
        state.queue[session] = None
    waiter = Waiter(session, seq, now, deadline, lease, prefetch)
    session.waiters = [*session.waiters, waiter]
    state.watch_deadline(waiter)
    return waiter


def _admit(state: PoolState, session_id: str | None, prefetch: bool) -> None:
    check_open(state)
    limit = state.knobs.max_waiting
    if limit is None or state.waiting < limit:
        return
    # A spare that is only due for a check still serves.
    served_at_once = state.lending and not state.queue and state.spares
    if served_at_once or prefetching.promised(state, session_id):
        return
    callers = sum(not waiter.prefetch for session in state.queue for waiter in session.waiters)
    if prefetch or callers >= limit:  # prefetches are nobody's call: they turn no caller away
        state.counters.saturated += not prefetch
        raise state.error(PoolSaturated, f"{callers} callers wait already")


def check_open(state: PoolState) -> None:
    """Refuse use before `prepare()` and after shutdown began."""
    if state.open:
        return
    if state.phase.value == "new":
        raise state.error(PoolNotReady, "the pool is not ready: await prepare() first")
    raise state.error(PoolClosed, "the pool is shut down")


def hand_over(state: PoolState, entry: Entry, session: Session, now: float) -> None:
    """LEASED to a session that waited; every caller that waits on its behalf is served."""
    entry.state = LEASED
    entry.session = session
    session.entry = entry
    session.alive_at = now
    waiters, session.waiters = session.waiters, ()
    for waiter in waiters:
        _grant(state, entry, waiter, now)
    session.prefetched = session.holders == 0


def _grant(state: PoolState, entry: Entry, waiter: Waiter, now: float) -> None:
    waiter.granted = True
    waiter.granted_at = now
    state.waiting -= 1
    if waiter.prefetch:
        return
    session, counters = waiter.session, state.counters
    session.holders += 1
    session.grants += 1
    session.leases += waiter.lease
    session.asked_seq = waiter.asked_seq
    warm = entry.ready_seq < waiter.asked_seq
    session.tier = waiter.tier = WARM if warm else COLD
    waiter.joined = not warm and entry.began_seq < waiter.asked_seq
    counters.warm += warm
    counters.cold += not warm
    counters.joined += waiter.joined
    counters.waited += 1
    counters.wait_sec_total += now - waiter.asked_at
    session.unclaimed = [*session.unclaimed, waiter]
    state.woken.append(waiter)


def claim(state: PoolState, waiter: Waiter) -> None:
    """The caller runs again, and takes what it was given.

    Raises:
        PoolClosed: a shutdown has taken it back in the meantime.
    """
    if waiter.session.ended:
        raise state.error(PoolClosed, "the pool was shut down")
    _claimed(waiter)


def _claimed(waiter: Waiter) -> None:
    session = waiter.session
    session.unclaimed = (
        [other for other in session.unclaimed if other is not waiter] if len(session.unclaimed) > 1 else ()
    )


def refuse(state: PoolState, session: Session, error: PoolError) -> None:
    """Every caller that waits on behalf of `session` gets `error`; the session is over."""
    for waiter in session.waiters:
        waiter.error = error
        state.waiting -= 1
        if not waiter.prefetch:
            state.woken.append(waiter)
    session.waiters = ()
    end_session(state, session)


def end_session(state: PoolState, session: Session) -> None:
    """Nobody's any more: out of the queue, out of the registry, without an entry."""
    session.ended = True
    if state.superseded:
        state.superseded.pop(session, None)
    session.holders = session.leases = 0
    session.prefetched = False
    if session.entry is not None:
        session.entry.session = None
        session.entry = None
    else:
        state.queue.pop(session, None)
        if state.breaker.prober is session:
            state.breaker.prober = None
    if session.id is not None and state.sessions.get(session.id) is session:
        del state.sessions[session.id]


def withdraw(state: PoolState, waiter: Waiter, now: float) -> None:
    """A caller leaves. What it had been given, in the same instant or before, goes on to the next."""
    session = waiter.session
    if waiter.granted:
        _give_up_grant(state, waiter, now)
    elif waiter.error is None:
        session.waiters = [other for other in session.waiters if other is not waiter]
        waiter.left = True
        state.waiting -= 1
        if not session.waiters:
            end_session(state, session)
            if state.breaker.open:  # another session may have to be the probe's
                decide.pump(state, now)


def _give_up_grant(state: PoolState, waiter: Waiter, now: float) -> None:
    session = waiter.session
    if session.ended:
        return
    state.counters.withdrawn += 1
    _claimed(waiter)
    session.leases -= waiter.lease
    session.holders -= 1
    if session.holders == 0:
        returning.finish(state, session, Use.UNUSED if session.grants == 1 else Use.CUT, now)
