"""The passage of time: deadlines, hooks past their bound, keepalives, retirements, surplus, silent sessions.

`tick` is called when the shared timer fires. It does what is due and leaves in `state.wake_at` when to come again.
"""

from __future__ import annotations

import heapq
import logging
import math
from typing import TYPE_CHECKING

from warmline.errors import PoolTimeout
from warmline.events import HookAbandoned, SessionFlagged
from warmline.pool import decide, lending, returning
from warmline.pool.actions import Action, Do
from warmline.pool.entry import CloseCause, Entry, EntryState
from warmline.pool.sessions import Use
from warmline.pool.surplus import SURPLUS_SWEEPS, above_maximum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmline.pool.sessions import Session
    from warmline.pool.state import PoolState

__all__ = ["activity_known", "heard", "note_warm_up_failed", "reclaim", "tick"]

logger: logging.Logger = logging.getLogger("warmline.pool")

STALL_SEC = 0.25  # a timer this late means that something blocked the event loop


def tick(state: PoolState, now: float, late_sec: float = 0.0) -> None:
    """Do all that is due at `now`; `late_sec` is by how much the timer missed its time."""
    if late_sec > STALL_SEC:
        _forgive_stall(state, late_sec)
    state.wake_at = math.inf
    state.looked_at = now
    _expire_waiters(state, now)
    _time_out_hooks(state, now)
    _tend_spares(state, now)
    if now >= state.sweep_at:
        sweep(state, now)
    if state.sweep_at < math.inf:
        state.wake(state.sweep_at)
    decide.pump(state, now)


def _forgive_stall(state: PoolState, late_sec: float) -> None:
    """Something blocked the event loop: hooks get the lost time back, for their results may be ready, only not seen."""
    state.counters.loop_stalls += 1
    # Imports of a start-up do this too; it is worth a warning once there is somebody who hears it.
    level = logging.WARNING if state.leased or state.waiting else logging.DEBUG
    logger.log(level, "[%s] The event loop stood still for %.2f s", state.knobs.name, late_sec)
    for entry in state.in_flight:
        entry.due_at += late_sec


def _expire_waiters(state: PoolState, now: float) -> None:
    heap = state.deadlines
    while heap and (heap[0][0] <= now or heap[0][2].done):
        _, _, waiter = heapq.heappop(heap)
        if waiter.done:
            continue
        waited_sec = now - waiter.asked_at
        lending.withdraw(state, waiter, now)
        waiter.error = state.error(PoolTimeout, f"no resource within {waited_sec:.3g} s")
        state.counters.timed_out += not waiter.prefetch
        state.woken.append(waiter)
    if heap:
        state.wake(heap[0][0])


# --- hooks -----------------------------------------------------------------------------------------------------------


def _time_out_hooks(state: PoolState, now: float) -> None:
    for entry in list(state.in_flight):
        if entry.due_at <= now:
            _count_from_its_start(state, entry)
        if entry.due_at <= now:
            _abandon(state, entry, now)
        else:
            state.wake(entry.due_at)


def _count_from_its_start(state: PoolState, entry: Entry) -> None:
    """The time that a hook waited for a thread of ours says nothing about the resource. A close must end by its bound,
    and so must a shutdown."""
    if state.open and entry.state is not EntryState.CLOSING:
        waited_sec = max(entry.queued_sec, state.queued_sec(entry))
        entry.due_at += waited_sec - entry.queued_sec
        entry.queued_sec = waited_sec


def _abandon(state: PoolState, entry: Entry, now: float) -> None:
    what = entry.state
    if what is EntryState.CLOSED or entry.due_at > now:  # dealt with while an earlier one was
        return
    state.counters.abandoned_hooks += 1
    if state.emit is not None:
        state.emit(HookAbandoned(at_sec=now, pool=state.knobs.name, hook=what.value))
    state.actions.append(Action(Do.ABANDON, entry))
    if what is EntryState.CREATING or what is EntryState.WARMING:
        error = TimeoutError(f"{what.value} took more than {state.knobs.create_timeout_sec:g} s")
        if what is EntryState.WARMING:
            note_warm_up_failed(state, error)
        state.creation_failed(entry, error, now)
    elif what is EntryState.CHECKING:
        state.checked(entry, CloseCause.INVALID if entry.for_handout else CloseCause.DIED, now)
    elif what is EntryState.RESETTING:
        state.reset_done(entry, ok=False, now=now)
    else:
        state.closed(entry, now)


def note_warm_up_failed(state: PoolState, error: BaseException) -> None:
    """Say so, without the provider's words, which may hold a key; while the breaker is open it has been said."""
    level = logging.DEBUG if state.breaker.open else logging.WARNING
    logger.log(level, "Warmup failed for %s: %s", state.knobs.name, type(error).__name__)


# --- spares ----------------------------------------------------------------------------------------------------------


def _tend_spares(state: PoolState, now: float) -> None:
    """Close what has reached a limit, begin replacements and keepalives that are due."""
    if not state.ages:
        return
    for entry in [*state.shelf, *state.retiring]:
        at, cause = decide.hard_limit(state, entry)
        if now >= at:
            state.close(entry, cause, now)
            continue
        state.wake(at)
        if entry in state.shelf:
            _tend(state, entry, now)


def _tend(state: PoolState, entry: Entry, now: float) -> None:
    retire_at, cause = decide.retire_limit(state, entry)
    keepalive_at = decide.keepalive_at(state, entry)
    if now >= keepalive_at and not (now >= retire_at and cause is CloseCause.LIFETIME):
        _keep_alive(state, entry, now)
    elif now >= retire_at:
        state.retire(entry, cause)
    else:
        state.wake(min(retire_at, keepalive_at))


def _keep_alive(state: PoolState, entry: Entry, now: float) -> None:
    """At most half of the spares (but one of one) are away at a time, so that a caller finds one."""
    away = state.count(EntryState.CHECKING)
    if away >= max(1, (away + len(state.shelf)) // 2):
        return  # the end of a running check looks again
    state.check(entry, Do.KEEP_ALIVE, now)


# --- the sweep -------------------------------------------------------------------------------------------------------


def sweep(state: PoolState, now: float) -> None:
    """The safety net: surplus spares, dead spares, silent sessions."""
    state.counters.sweeps += 1
    state.sweep_at = now + state.knobs.sweep_sec
    for entry in list(state.shelf):
        if entry.alive is not None and not entry.alive():
            state.close(entry, CloseCause.DIED, now)
    _trim(state, now)
    _meet_silent_sessions(state, now)


def _trim(state: PoolState, now: float) -> None:
    """Close the longest-idle spares above the floor that have seen two sweeps, and all above a lowered maximum.

    Those that are away for a check have seen this sweep too; whether they stay is decided when they come back.
    """
    for entry in state.in_flight:
        entry.sweeps += entry.state is EntryState.CHECKING
    surplus = len(state.shelf) - max(state.floor, len(state.queue))
    for entry in list(state.shelf):
        entry.sweeps += 1
        if (surplus > 0 and entry.sweeps >= SURPLUS_SWEEPS) or above_maximum(state):
            state.close(entry, CloseCause.SURPLUS, now)
            surplus -= 1


def _meet_silent_sessions(state: PoolState, now: float) -> None:
    """Flag a session that has been silent for too long; take its resource only where that was asked for."""
    oldest_sign = now - state.knobs.session_max_age_sec
    silent = [entry for entry in state.entries if (s := entry.session) is not None and s.alive_at <= oldest_sign]
    cleaned = sum(_meet_silent(state, entry, now) for entry in silent)
    if cleaned:
        logger.debug("[%s] Cleaned up %d stale sessions", state.knobs.name, cleaned)


def _meet_silent(state: PoolState, entry: Entry, now: float) -> bool:
    session = entry.session
    assert session is not None
    if session.leases > 0 or session.unclaimed:  # an open lease is life, and so is a caller about to run
        lending.heard_from(session, now)
        return False
    if session.holders == 0:  # a prefetch that nobody came for
        state.counters.prefetches_returned += 1
        returning.finish(state, session, Use.UNUSED, now)
        return False
    if session.touched or state.knobs.stale_sessions == "reclaim":
        reclaim(state, session, now)
        return True
    _flag(state, session, now)
    if state.hooks.active and not session.asking:
        session.asking = True
        state.actions.append(Action(Do.ASK_ACTIVE, entry))
    return False


def _flag(state: PoolState, session: Session, now: float) -> None:
    if session.flagged:
        return
    session.flagged = True
    state.counters.sessions_flagged += 1
    silent_sec = now - session.alive_at
    logger.warning("[%s] Session %s has been silent for %.0f s", state.knobs.name, short_id(session.id), silent_sec)
    if state.emit is not None:
        state.emit(SessionFlagged(at_sec=now, pool=state.knobs.name, silent_sec=silent_sec))


def short_id(session_id: str | None) -> str:
    """Enough of an id to find it, too little to be one."""
    return "(anonymous)" if session_id is None else f"{str(session_id)[:8]}..."  # a UUID may be an id, too


def reclaim(state: PoolState, session: Session, now: float) -> None:
    """Take the resource of a silent session: it is closed, for nobody knows in what state it was left."""
    entry = session.entry
    assert entry is not None
    state.counters.sessions_reclaimed += 1
    lending.end_session(state, session)
    state.close(entry, CloseCause.STALE_SESSION, now)


def activity_known(state: PoolState, session: Session, active: bool | None, now: float) -> None:
    """`active_fn` answered for a silent session: False takes the resource, True is a sign of life."""
    session.asking = False
    if session.ended:
        return
    if active:
        lending.heard_from(session, now)
    elif active is False and now - session.alive_at >= state.knobs.session_max_age_sec and session.leases == 0:
        reclaim(state, session, now)
        logger.debug("[%s] Cleaned up 1 stale sessions", state.knobs.name)
        decide.pump(state, now)


def heard(state: PoolState, touched_at: Mapping[str, float]) -> None:
    """Signs of life that came in through `touch`, from any thread."""
    if state.knobs.session_awareness:
        found = [s for i in touched_at if (s := state.sessions.get(i)) is not None]
        found += [s for s in state.superseded if s.id in touched_at]
    else:
        found = [s for e in state.entries if (s := e.session) is not None and s.id in touched_at]
    for session in found:
        assert session.id is not None
        session.touched = True
        lending.heard_from(session, max(session.alive_at, touched_at[session.id]))
