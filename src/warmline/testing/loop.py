"""An event loop whose clock jumps to the next timer: hours of a pool's life in milliseconds, the same every time."""

from __future__ import annotations

import asyncio
import random
import selectors
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

__all__ = ["VirtualClock", "VirtualTimeLoop", "run_virtual"]

REAL_WAIT_SEC = 0.02
UNKNOWN_THREAD_SEC = 2.0


class VirtualClock:
    """The clock of a `VirtualTimeLoop`; jitter is drawn from a seed of its own."""

    def __init__(self, loop: VirtualTimeLoop, seed: int) -> None:
        self._loop = loop
        self._random = random.Random(seed)

    def now(self) -> float:
        """Virtual seconds."""
        return self._loop.time()

    def jitter(self, low: float, high: float) -> float:
        """Evenly drawn, the same for the same seed."""
        return self._random.uniform(low, high)


class _Selector(selectors.SelectSelector):
    """Instead of waiting for the next timer, the loop's time is set to it. What is ready is taken without a wait."""

    loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout is None or timeout <= 0:
            return ready if ready or timeout is not None else self._idle()
        if self.loop.held:
            return super().select(REAL_WAIT_SEC)
        self.loop.advance(timeout)
        return ready

    def _idle(self) -> list[tuple[selectors.SelectorKey, int]]:
        """No timer is set: only a thread can wake the loop. One that we do not know of gets a moment of real time."""
        if ready := super().select(REAL_WAIT_SEC if self.loop.held else UNKNOWN_THREAD_SEC):
            return ready
        if self.loop.held:
            return []
        raise RuntimeError("the loop waits for something that will never happen: no timer is set")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A `WarmableResourcePool` on this loop takes its time from `clock`. Time stands still while a hook thread runs.

    A program that waits with no timer set would wait for ever: that is a `RuntimeError`.
    """

    def __init__(self, seed: int = 0) -> None:
        self._virtual_sec = 0.0
        self.held: int = 0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self.clock: VirtualClock = VirtualClock(self, seed)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_sec

    def advance(self, seconds: float) -> None:
        """Jump. Called from a task it looks to timers like a loop that stood still for so long."""
        self._virtual_sec += seconds

    def hold_time(self) -> None:
        """Something real has begun (a thread): no jumps until `release_time`."""
        self.held += 1

    def release_time(self) -> None:
        """It has ended."""
        self.held -= 1

    def run_in_executor(self, executor: Any, func: Callable[[Unpack[Ts]], T], *args: *Ts) -> asyncio.Future[T]:
        """As usual (`asyncio.to_thread` comes here); time stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self.hold_time()
        future.add_done_callback(lambda _: self.release_time())
        return future

    async def shutdown_default_executor(self, *timeout: Any) -> None:
        """As usual; its time-out is meant in real time, so time stands still."""
        self.hold_time()
        try:
            await super().shutdown_default_executor(*timeout)
        finally:
            self.release_time()


def run_virtual(main: Coroutine[Any, Any, T], *, seed: int = 0) -> T:
    """`asyncio.run` on virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(seed)) as runner:
        return runner.run(main)
