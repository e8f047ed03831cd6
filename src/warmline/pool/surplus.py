"""Which spares are too many: above `max_spares`, above a lowered maximum, or above the floor for two sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmline.pool.entry import Entry, EntryState

if TYPE_CHECKING:
    from warmline.pool.state import PoolState

__all__ = ["SURPLUS_SWEEPS", "above_maximum", "is_surplus", "outstays"]

SURPLUS_SWEEPS = 2


def is_surplus(state: PoolState) -> bool:
    """True when one more spare would be too many."""
    if state.live > state.max_size:
        return True
    return not state.queue and len(state.shelf) >= state.max_spares


def above_maximum(state: PoolState) -> bool:
    """True when more live, closing ones apart, than a lowered maximum allows."""
    return state.live - state.count(EntryState.CLOSING) > state.max_size


def outstays(state: PoolState, entry: Entry) -> bool:
    """True when a spare that comes back from a check is not wanted any more: the sweeps that fell into the check did
    not meet it on the shelf."""
    if above_maximum(state):
        return True
    return not state.queue and entry.sweeps >= SURPLUS_SWEEPS and len(state.shelf) >= state.floor
