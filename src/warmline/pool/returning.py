"""Returns: holds end, and what was held goes straight on, is reset first, or is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmline.pool import decide, lending, surplus
from warmline.pool.entry import CloseCause, Entry, EntryState
from warmline.pool.sessions import Session, Use
from warmline.pool.signals import ENDS_THE_PROCESS

if TYPE_CHECKING:
    from warmline.pool.state import PoolState

__all__ = ["end_lease", "finish", "release_all"]

SPARE, RESETTING = EntryState.SPARE, EntryState.RESETTING


def end_lease(state: PoolState, session: Session, use: Use, now: float) -> bool:
    """One open lease of a session ends; its resource goes back with the last holder. False: it had ended before."""
    if session.ended or session.entry is None:
        return False
    if use is Use.BROKEN and session.entry.broken is None:
        session.entry.broken = CloseCause.BROKEN
    session.leases -= 1
    session.holders -= 1
    lending.heard_from(session, now)
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
    superseded = session in state.superseded
    lending.end_session(state, session)
    heir = Session(session.id, session.asked_seq, now)
    heir.tier = session.tier
    heir.unclaimed = served
    heir.holders = len(served)
    heir.grants = len(served) + 1  # it has been used before
    heir.leases = sum(waiter.lease for waiter in served)
    for waiter in served:
        waiter.session = heir
    if superseded:
        state.superseded[heir] = None
    elif heir.id is not None and state.knobs.session_awareness:
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
    entry.sweeps = 0
    cause = _verdict(state, entry, use, now)
    lending.end_session(state, session)
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
        first, _ = queue.popitem(last=False)
        state.last_served_seq = first.asked_seq
        lending.hand_over(state, entry, first, now)
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
    except ENDS_THE_PROCESS:
        raise
    except BaseException:
        ok = False
    finally:
        if entry.state is RESETTING:  # else it said meanwhile that it died, and is being closed
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
    return CloseCause.SURPLUS if surplus.is_surplus(state) else None
