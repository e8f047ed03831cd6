"""One call, from ring or click to hang-up."""

import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Protocol, Self, TypeVar

from warmline.clock import Clock
from warmline.events import CallEnded, CallStarted, Event, TurnFinished
from warmline.session.turns import TurnLog

__all__ = ["Emit", "Session"]

Emit = Callable[[Event], None]


class _Closeable(Protocol):
    async def aclose(self) -> None: ...


_Resource = TypeVar("_Resource", bound=_Closeable)


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

    async def __aenter__(self) -> Self:
        self._emit(CallStarted(at_sec=self._clock.now(), session_id=self.id, active_calls=self._active_calls))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._held.aclose()
        finally:
            self._emit(self._ended())

    def hold(self, resource: _Resource) -> _Resource:
        """Keep `resource` until the call is over, then close it; last held, first closed."""
        self._held.push_async_callback(resource.aclose)
        return resource

    def finish_turn(self, turn: int, *, interrupted: bool) -> dict[str, float]:
        """The answer of `turn` was sent (or cut off): tell the observers; returns its stages."""
        stages_ms = self.turns.stages_ms(turn)
        self._emit(
            TurnFinished(
                at_sec=self._clock.now(), session_id=self.id, turn=turn, stages_ms=stages_ms, interrupted=interrupted
            )
        )
        return stages_ms

    def _ended(self) -> CallEnded:
        return CallEnded(
            at_sec=self._clock.now(),
            session_id=self.id,
            turns=self.turns.answering,
            lasted_sec=self.turns.now_ms() / 1000,
            reason=self.end_reason,
        )
