"""One call, from ring or click to hang-up."""

import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from warmline.clock import Clock
from warmline.events import CallEnded, CallStarted, Event, LeaseTaken, TurnFinished
from warmline.session.turns import TurnLog

if TYPE_CHECKING:
    from warmline.pool import WarmableResourcePool

__all__ = ["Emit", "Session"]

Emit = Callable[[Event], None]


class _Closeable(Protocol):
    async def aclose(self) -> None: ...


_Resource = TypeVar("_Resource", bound=_Closeable)
_Leased = TypeVar("_Leased")


class Session:
    """What one call holds and what it went through. Everything held is given back when the session closes.

    Use as `async with Session(...) as session`. The identifier is random and says nothing about the caller.
    """

    def __init__(self, clock: Clock, emit: Emit, *, active_calls: int = 1) -> None:
        self.id: str = secrets.token_hex(8)
        self.turns: TurnLog = TurnLog(clock)
        self.end_reason: str = "gone"
        self._clock = clock
        self._emit = emit
        self._active_calls = active_calls
        self._held = AsyncExitStack()
        self._leases: list[LeaseTaken] = []
        self._taken_from: list[object] = []

    async def __aenter__(self) -> Self:
        self._emit(CallStarted(at_sec=self._clock.now(), session_id=self.id, active_calls=self._active_calls))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # With what went wrong: a pool never lends again what was in use then.
            await self._held.__aexit__(kind, error, trace)
        finally:
            self._emit(self._ended())

    def hold(self, resource: _Resource) -> _Resource:
        """Keep `resource` until the call is over, then close it; last held, first closed."""
        self._held.push_async_callback(resource.aclose)
        return resource

    def prefetch(self, *pools: "WarmableResourcePool[Any]") -> None:
        """Have each pool get this call's resource now, in the background; `take` then joins.

        Raises:
            PoolNotReady, PoolClosed: as in `acquire_for_session`.
        """
        for pool in pools:
            pool.prefetch(self.id)
            self._held.push_async_callback(self._give_up_prefetched, pool)

    async def take(self, pool: "WarmableResourcePool[_Leased]", *, timeout_sec: float | None = None) -> "_Leased":
        """Lease this call's resource of `pool` until the call is over.

        Raises:
            PoolTimeout, PoolSaturated, CreateFailed, PoolNotReady, PoolClosed: as in `acquire_for_session`.
        """
        lease = await self._held.enter_async_context(pool.lease(self.id, timeout_sec))
        taken = LeaseTaken(
            at_sec=self._clock.now(),
            session_id=self.id,
            pool=pool.name,
            tier=lease.tier.value,
            joined=lease.joined,
            acquire_ms=round(lease.acquire_ms, 3),
        )
        self._taken_from.append(pool)
        self._leases.append(taken)
        self._emit(taken)
        return lease.resource

    def finish_turn(self, turn: int, *, interrupted: bool) -> dict[str, float]:
        """The answer of `turn` was sent (or cut off): tell the observers; returns its stages."""
        stages_ms = self.turns.stages_ms(turn)
        self._emit(
            TurnFinished(
                at_sec=self._clock.now(), session_id=self.id, turn=turn, stages_ms=stages_ms, interrupted=interrupted
            )
        )
        return stages_ms

    async def _give_up_prefetched(self, pool: "WarmableResourcePool[Any]") -> None:
        if pool not in self._taken_from:
            await pool.release_for_session(self.id)

    def _ended(self) -> CallEnded:
        return CallEnded(
            at_sec=self._clock.now(),
            session_id=self.id,
            turns=self.turns.answering,
            lasted_sec=self.turns.now_ms() / 1000,
            reason=self.end_reason,
            leases=tuple(self._leases),
        )
