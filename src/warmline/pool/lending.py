"""Requests and returns: sessions take resources, wait for them, join each other, leave, and give them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmline.errors import PoolClosed, PoolNotReady, PoolSaturated
from warmline.pool import decide
from warmline.pool.entry import CloseCause, Entry, EntryState
from warmline.pool.sessions import Session, Use, Waiter
from warmline.pool.tier import AllocationTier

if TYPE_CHECKING:
    from warmline.errors import PoolError
    from warmline.pool.state import PoolState

__all__ = [
    "claim",
    "end_lease",
    "finish",
    "hand_over",
    "prefetch",
    "refuse",
    "release_all",
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
    entry = state.shelf[0]
    if (state.picky or entry.alive is not None) and (
        decide.unfit(state, entry, now) is not None or decide.needs_check(state, entry, now)
    ):
        return None
    state.shelf.popleft()
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
    if entry.broken is not None:  # it died under the session, which now asks for another
        end_session(state, session)
        state.close(entry, entry.broken, now)
        decide.pump(state, now)
        return None
    session.holders += 1
    session.grants += 1
    session.leases += lease
    session.tier = WARM if session.prefetched else DEDICATED
    if session.prefetched:
        session.prefetched = False
        session.asked_seq = state.tick_seq()
        state.counters.warm += 1
    else:
        state.counters.dedicated += 1
    heard_from(session, now)
    return session


def heard_from(session: Session, now: float) -> None:
    """A sign of life."""
    session.alive_at = now
    session.flagged = False


def request(
    state: PoolState, session_id: str | None, now: float, deadline: float, *, lease: bool, patient: bool = True
) -> Waiter:
    """A caller waits: alone, or on the request that its session has already made.

    The waiter may be served or refused at once. One that is not `patient` never causes a creation.

    Raises:
        PoolNotReady: before `prepare()`.
        PoolClosed: during or after shutdown.
        PoolSaturated: `max_waiting` callers wait already.
    """
    waiter = _enqueue(state, session_id, now, deadline, lease=lease, prefetch=False)
    if patient:
        decide.pump(state, now)
    else:
        decide.serve(state, now)
    return waiter


def prefetch(state: PoolState, session_id: str, now: float) -> None:
    """Ask on behalf of a session that will acquire soon. Nothing to do when it already has or awaits a resource."""
    if session_id in state.sessions:
        return
    state.counters.prefetches += 1
    deadline = now + state.knobs.acquire_timeout_sec
    try:
        _enqueue(state, session_id, now, deadline, lease=False, prefetch=True)
    except PoolSaturated:
        state.counters.prefetches_dropped += 1
        return
    decide.pump(state, now)


def _enqueue(
    state: PoolState, session_id: str | None, now: float, deadline: float, *, lease: bool, prefetch: bool
) -> Waiter:
    seq = state.tick_seq()
    session = None if session_id is None else state.sessions.get(session_id)
    if session is None:
        _admit(state)
        session = Session(session_id, seq, now)
        if session_id is not None and state.knobs.session_awareness:
            state.sessions[session_id] = session
        state.queue[session] = None
    waiter = Waiter(session, seq, now, deadline, lease, prefetch)
    session.waiters = [*session.waiters, waiter]
    state.watch_deadline(waiter)
    return waiter


def _admit(state: PoolState) -> None:
    check_open(state)
    limit = state.knobs.max_waiting
    # A spare that is only due for a check still serves.
    served_at_once = state.lending and not state.queue and state.spares
    if limit is not None and state.waiting >= limit and not served_at_once:
        state.counters.saturated += 1
        raise state.error(PoolSaturated, f"{state.waiting} callers wait already")


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
    state.last_served_seq = session.asked_seq
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
    session.joined = waiter.joined = not warm and entry.began_seq < waiter.asked_seq
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
        finish(state, session, Use.UNUSED if session.grants == 1 else Use.CUT, now)


def end_lease(state: PoolState, session: Session, use: Use, now: float) -> bool:
    """One open lease of a session ends; its resource goes back with the last holder. False: it had ended before."""
    if session.ended or session.entry is None:
        return False
    if use is Use.BROKEN and session.entry.broken is None:
        session.entry.broken = CloseCause.BROKEN
    session.leases -= 1
    session.holders -= 1
    heard_from(session, now)
    if session.holders == 0:
        finish(state, session, use, now)
    return True


def release_all(state: PoolState, session: Session, use: Use, now: float) -> None:
    """Every hold of the session ends. Callers that were served but have not run since keep what they were given."""
    if not session.unclaimed:
        finish(state, session, use, now)
        return
    entry, served = session.entry, session.unclaimed
    assert entry is not None
    if use is Use.BROKEN:
        entry.broken = entry.broken or CloseCause.BROKEN
    end_session(state, session)
    heir = Session(session.id, session.asked_seq, now)
    heir.tier, heir.joined = session.tier, session.joined
    heir.unclaimed = served
    heir.holders = len(served)
    heir.grants = len(served) + 1  # it has been used before
    heir.leases = sum(waiter.lease for waiter in served)
    for waiter in served:
        waiter.session = heir
    if heir.id is not None and state.knobs.session_awareness:
        state.sessions[heir.id] = heir
    entry.session, heir.entry = heir, entry


def finish(state: PoolState, session: Session, use: Use, now: float) -> None:
    """The session is over; its resource is recycled, reset first, or closed."""
    entry = session.entry
    assert entry is not None
    if (
        use is Use.FINE
        and state.simple
        and entry.simple
        and entry.epoch == state.epoch
        and entry.broken is None
        and _straight_on(state, session, entry, now)
    ):
        return
    end_session(state, session)
    cause = _verdict(state, entry, use, now)
    if cause is not None:
        state.close(entry, cause, now)
    elif use is Use.UNUSED:
        state.shelve(entry, entry.verified_at)
    elif state.hooks.reset or entry.clears_slowly:
        state.reset(entry, now)
    elif entry.clear is not None:
        _clear(state, entry, now)
        return
    else:
        state.counters.recycled += 1
        state.shelve(entry, now)
    if state.queue or cause is not None or state.retiring:
        decide.pump(state, now)


def _straight_on(state: PoolState, session: Session, entry: Entry, now: float) -> bool:
    """The common return, where nothing speaks against recycling: to the next caller, or to the shelf.

    Does in one step what `end_session`, `_verdict`, `shelve` and `pump` would come to; False when they must decide.
    """
    queue = state.queue
    if len(state.entries) > state.max_size:
        return False
    if not state.lending if queue else len(state.shelf) >= state.max_spares:
        return False
    session.ended = True
    session.entry = entry.session = None
    if session.id is not None and state.sessions.get(session.id) is session:
        del state.sessions[session.id]
    entry.verified_at = now
    state.counters.recycled += 1
    if queue:
        hand_over(state, entry, queue.popitem(last=False)[0], now)
        return True
    entry.state = SPARE
    entry.sweeps = 0
    state.shelf.append(entry)
    if state.retiring:
        decide.pump(state, now)
    return True


def _clear(state: PoolState, entry: Entry, now: float) -> None:
    """`clear_session_state()`, inline. A failure of any kind closes the resource before it goes any further."""
    entry.state = RESETTING
    state.in_flight[entry] = None
    ok = False
    try:
        assert entry.clear is not None
        ok = entry.clear() is not False
    except Exception:
        ok = False
    finally:
        state.reset_done(entry, ok=ok, now=now)


def _verdict(state: PoolState, entry: Entry, use: Use, now: float) -> CloseCause | None:
    """Why a returned resource is not lent again; None when it may be."""
    if entry.broken is not None:
        return entry.broken
    if use is Use.BROKEN:
        return CloseCause.BROKEN
    if not state.open:
        return CloseCause.SHUTDOWN
    if entry.epoch != state.epoch:
        return CloseCause.DRAINED
    if use is not Use.UNUSED:
        if not state.knobs.recycle:
            return CloseCause.NOT_RECYCLED
        if use is Use.CUT and not state.hooks.reset and entry.clear is None:
            return CloseCause.BROKEN
    if entry.alive is not None and not entry.alive():
        return CloseCause.DIED
    lifetime = state.knobs.max_lifetime_sec
    if lifetime is not None and now >= entry.made_at + lifetime:
        return CloseCause.LIFETIME
    return CloseCause.SURPLUS if decide.is_surplus(state) else None
