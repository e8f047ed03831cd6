"""What an operator does to a pool: open, resize, rotate, suspend, resume, shut down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from warmline.errors import PoolClosed
from warmline.pool import decide, lending, returning
from warmline.pool.entry import IN_MAKING, CloseCause, EntryState
from warmline.pool.phase import Phase
from warmline.pool.sessions import Use

if TYPE_CHECKING:
    from warmline.pool.sessions import Session
    from warmline.pool.state import PoolState

__all__ = [
    "begin_close",
    "begin_fill",
    "close_if_empty",
    "open_pool",
    "resize",
    "resume",
    "reverify",
    "rotate",
    "suspend",
    "take_back_all",
]


def open_pool(state: PoolState, now: float) -> None:
    """Callers are welcome; the floor fills."""
    if state.phase is not Phase.NEW:
        return
    state.phase = Phase.OPEN
    state.open = True
    state.lending = not state.suspended
    state.sweep_at = now + state.knobs.sweep_sec
    state.wake(state.sweep_at)
    begin_fill(state, now)


def begin_fill(state: PoolState, now: float) -> None:
    """The floor fills, even where background refill is off."""
    state.first_fill = True
    decide.pump(state, now)


def resize(state: PoolState, floor: int | None, max_size: float | None, now: float) -> None:
    """Another floor or maximum. Growth begins at once, what is too much goes on the sweeps."""
    if floor is not None:
        state.set_floor(floor)
    if max_size is not None:
        state.max_size = max_size
        state.ceiling = max(max_size, state.live)
    decide.pump(state, now)


def rotate(state: PoolState, now: float) -> None:
    """Another epoch of credentials or settings: older spares retire, older leased ones close on return."""
    state.epoch += 1
    for entry in list(state.shelf):
        state.retire(entry, CloseCause.DRAINED)
    decide.pump(state, now)


def reverify(state: PoolState, since: float, now: float) -> None:
    """What was last verified before `since` is due for a keepalive now."""
    state.fresh_since = max(state.fresh_since, since)
    state.wake(now)


def suspend(state: PoolState) -> None:
    """Nobody is served or refilled until `resume`, except sessions that hold their resource already."""
    state.suspended = True
    state.lending = False


def resume(state: PoolState, now: float) -> None:
    """As before `suspend`."""
    state.suspended = False
    state.lending = state.open
    decide.pump(state, now)


def begin_close(state: PoolState, now: float) -> None:
    """No more admissions: whoever waits is told, spares close, creations are called off. Leases go on."""
    if state.phase in (Phase.CLOSING, Phase.CLOSED):
        return
    state.phase = Phase.CLOSING
    state.open = state.lending = state.first_fill = state.simple = False
    state.sweep_at = math.inf
    for session in list(state.queue):
        lending.refuse(state, session, state.error(PoolClosed, "the pool was shut down"))
    for entry in [*state.shelf, *state.retiring]:
        state.close(entry, CloseCause.SHUTDOWN, now)
    for entry in list(state.in_flight):
        if entry.state in IN_MAKING:
            state.call_off(entry, CloseCause.SHUTDOWN, now)
        elif entry.state is not EntryState.CLOSING:
            entry.doom = entry.doom or CloseCause.SHUTDOWN
    for session in _sessions(state):
        if session.holders == 0:  # a prefetch
            returning.finish(state, session, Use.UNUSED, now)


def take_back_all(state: PoolState, now: float) -> None:
    """The deadline of a shutdown: what is still held is closed under its holder."""
    for session in _sessions(state):
        assert session.entry is not None
        entry = session.entry
        lending.end_session(state, session)
        state.close(entry, CloseCause.SHUTDOWN, now)


def close_if_empty(state: PoolState) -> bool:
    """CLOSED once nothing lives."""
    if state.phase is Phase.CLOSING and not state.entries:
        state.phase = Phase.CLOSED
    return state.phase is Phase.CLOSED


def _sessions(state: PoolState) -> list[Session]:
    return [entry.session for entry in state.entries if entry.session is not None]
