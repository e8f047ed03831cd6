"""What a pool is and has done, frozen at one moment."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict, cast

from warmline.pool.entry import CloseCause, EntryState
from warmline.pool.phase import Phase

if TYPE_CHECKING:
    from warmline.pool.state import PoolState

__all__ = ["Frozen", "PoolCounts", "PoolMetrics", "PoolSnapshot", "snapshot_of"]


class PoolMetrics(TypedDict):
    """Allocations by tier, and the pool's warm-up. `timestamp` is wall-clock seconds since 1970."""

    allocations_total: int
    allocations_dedicated: int
    allocations_warm: int
    allocations_cold: int
    allocations_cached: int
    active_sessions: int
    warm_pool_size: int
    warmup_cycles: int
    warmup_failures: int
    timestamp: float


class PoolCounts(TypedDict):
    """How many resources are in which hands: spare + leased + creating + warming + closing == live."""

    spare: int
    leased: int
    creating: int
    warming: int
    closing: int
    live: int
    waiting: int


class PoolSnapshot(TypedDict):
    """`counters` only grow; `closed` counts closes by cause; both are zero-filled, so every key is always there."""

    name: str
    ready: bool
    warm_pool_size: int
    warm_pool_target: int
    session_awareness: bool
    active_sessions: int
    background_warmup: bool
    metrics: PoolMetrics
    counts: PoolCounts
    counters: dict[str, float]
    closed: dict[str, int]
    suspended: bool
    breaker_open: bool
    epoch: int
    max_size: int | None


class Frozen(dict[str, Any]):
    """A dict that cannot be changed, and is still JSON."""

    def __reduce__(self) -> tuple[type[Frozen], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)  # for copies and pickles, which would set the items one by one

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise TypeError("a snapshot is frozen")

    __setitem__: Any = _refuse
    __delitem__: Any = _refuse
    __ior__: Any = _refuse
    clear: Any = _refuse
    pop: Any = _refuse
    popitem: Any = _refuse
    setdefault: Any = _refuse
    update: Any = _refuse


def snapshot_of(state: PoolState) -> PoolSnapshot:
    """Freeze what `state` says now."""
    active = sum(session.entry is not None for session in _known_sessions(state))
    everything = Frozen(
        name=state.knobs.name,
        ready=state.phase is Phase.OPEN and not state.first_fill,
        warm_pool_size=state.spares,
        warm_pool_target=state.floor,
        session_awareness=state.knobs.session_awareness,
        active_sessions=active,
        background_warmup=state.knobs.enable_background_warmup,
        metrics=Frozen(_metrics(state, active)),
        counts=Frozen(_counts(state)),
        counters=Frozen(_counters(state)),
        closed=Frozen({cause.value: state.counters.closed[cause] for cause in CloseCause}),
        suspended=state.suspended,
        breaker_open=state.breaker.open,
        epoch=state.epoch,
        max_size=None if state.max_size == float("inf") else int(state.max_size),
    )
    return cast("PoolSnapshot", everything)


def _known_sessions(state: PoolState) -> list[Any]:
    if state.knobs.session_awareness:
        return list(state.sessions.values())
    return [entry.session for entry in state.entries if entry.session is not None and entry.session.id is not None]


def _metrics(state: PoolState, active: int) -> PoolMetrics:
    c = state.counters
    return {
        "allocations_total": c.dedicated + c.warm + c.cold,
        "allocations_dedicated": c.dedicated,
        "allocations_warm": c.warm,
        "allocations_cold": c.cold,
        "allocations_cached": c.dedicated + c.warm,
        "active_sessions": active,
        "warm_pool_size": state.spares,
        "warmup_cycles": c.sweeps,
        "warmup_failures": c.create_failures,
        "timestamp": time.time(),
    }


def _counts(state: PoolState) -> PoolCounts:
    """A spare that is being checked is still a spare, a resource that is being reset still leased."""
    return {
        "spare": state.spares + state.count(EntryState.CHECKING),
        "leased": state.leased + state.count(EntryState.RESETTING),
        "creating": state.count(EntryState.CREATING),
        "warming": state.count(EntryState.WARMING),
        "closing": state.count(EntryState.CLOSING),
        "live": state.live,
        "waiting": state.waiting,
    }


def _counters(state: PoolState) -> dict[str, float]:
    counters = {
        f.name: getattr(state.counters, f.name) for f in dataclasses.fields(state.counters) if f.name != "closed"
    }
    return counters | {"breaker_opened": state.breaker.opened}
