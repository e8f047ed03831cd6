"""Resources for sessions that will ask soon: got ahead of time, kept for them, looked at again when they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmline.errors import PoolSaturated
from warmline.pool import decide, lending
from warmline.pool.actions import Do
from warmline.pool.tier import AllocationTier

if TYPE_CHECKING:
    from warmline.pool.entry import Entry
    from warmline.pool.sessions import Session
    from warmline.pool.state import PoolState

__all__ = ["collect", "keep_promise", "prefetch", "promised"]


def prefetch(state: PoolState, session_id: str, now: float) -> None:
    """Ask on behalf of a session that will acquire soon. Nothing to do when it already has or awaits a resource."""
    if session_id in state.sessions:
        return
    state.counters.prefetches += 1
    deadline = now + state.knobs.acquire_timeout_sec
    try:
        lending.enqueue(state, session_id, now, deadline, lease=False, prefetch=True)
    except PoolSaturated:
        state.counters.prefetches_dropped += 1
        return
    decide.pump(state, now)


def collect(state: PoolState, session: Session, entry: Entry, now: float) -> bool:
    """The session has come. True when what was kept for it may be handed out as it is.

    Like a spare it may have died or aged meanwhile: then it is closed, or validated first, and the session asks anew.
    """
    cause = entry.broken or decide.unfit(state, entry, now)
    if cause is None and not decide.needs_check(state, entry, now):
        session.prefetched = False
        session.tier = AllocationTier.WARM
        session.asked_seq = state.tick_seq()
        state.counters.warm += 1
        return True
    lending.end_session(state, session)
    if cause is None:
        entry.promised_to = session.id
        state.check(entry, Do.VALIDATE, now, for_handout=True)
    else:
        state.close(entry, cause, now)
        decide.pump(state, now)
    return False


def promised(state: PoolState, session_id: str | None) -> bool:
    """True while a resource is validated that this session had prefetched."""
    return session_id is not None and any(
        entry.for_handout and entry.promised_to == session_id for entry in state.in_flight
    )


def keep_promise(state: PoolState, entry: Entry, now: float) -> bool:
    """A prefetched resource has passed its validation: to the session that it was got for, if that still waits.

    Nobody in the queue is passed over, for nobody else was to have it.
    """
    session, entry.promised_to = state.sessions.get(entry.promised_to or ""), None
    if session is None or session not in state.queue or entry.epoch != state.epoch:
        return False
    entry.verified_at = now
    if decide.unfit(state, entry, now) is not None:
        return False
    del state.queue[session]
    lending.hand_over(state, entry, session, now)
    return True
