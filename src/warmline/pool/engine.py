"""The shell: performs what the core decides, and feeds the passage of time back to it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING

from warmline.clock import SystemClock
from warmline.errors import PoolNotReady
from warmline.pool import steering, upkeep
from warmline.pool.hook_work import HookWork
from warmline.pool.phase import Phase
from warmline.pool.state import PoolState

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable

    from warmline.clock import Clock
    from warmline.pool.budget import CreationBudget
    from warmline.pool.capacity import Capacity
    from warmline.pool.hook_set import PoolHooks
    from warmline.pool.knobs import PoolKnobs

__all__ = ["Engine"]

logger: logging.Logger = logging.getLogger("warmline.pool")

LOOK_AGAIN_SEC = 0.1
REARM_SEC = 0.001  # an early timer (uvloop rounds to milliseconds) is not asked again sooner


class Engine:
    """One pool at work on one event loop."""

    def __init__(
        self,
        knobs: PoolKnobs,
        hooks: PoolHooks,
        context: contextvars.Context,
        *,
        clock: Clock | None,
        budget: CreationBudget | None = None,
        capacity: Capacity | None = None,
    ) -> None:
        self.state: PoolState = PoolState(
            knobs, clock or SystemClock(), hooks.given(), budget=budget, capacity=capacity
        )
        self.state.prefer = hooks.prefer
        self.loop: asyncio.AbstractEventLoop | None = None
        self.now: Callable[[], float] = (
            time.monotonic if clock is None else clock.now
        )  # SystemClock's own, without the way round
        self.before_sweep: Callable[[], None] | None = None
        self.work: HookWork = HookWork(hooks, self.state, context, self.perform)
        self._clock_given = clock is not None
        self._context = context
        self._performing = False
        self._timer: asyncio.TimerHandle | None = None
        self.armed_at: float = math.inf
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._shutdown: asyncio.Task[None] | None = None
        self._drain_until = math.inf

    # --- the loop --------------------------------------------------------------------------------------------------

    def bind(self) -> None:
        """This pool belongs to the running loop, from its first `prepare()` on.

        Raises:
            PoolNotReady: it belongs to another one.
        """
        running = asyncio.get_running_loop()
        if self.loop is running:
            return
        if self.loop is not None:
            raise self.state.error(PoolNotReady, "the pool belongs to another event loop")
        self.loop = running
        if not self._clock_given:  # on a loop with a time of its own (warmline.testing), that time is ours
            self.state.clock = self.state.breaker.clock = getattr(running, "clock", self.state.clock)
            if hasattr(running, "clock"):
                self.now = self.state.clock.now
        self.work.bind(running, self.now)

    def perform(self) -> None:
        """Do what the core has asked for since the last time, wake who was served, see to the timer."""
        state = self.state
        if self._performing:  # a hook's first step called back into the pool
            return
        self._performing = True
        try:
            while state.woken or state.actions:
                woken, state.woken = state.woken, []
                for waiter in woken:
                    if waiter.future is not None and not waiter.future.done():
                        waiter.future.set_result(None)
                self._start_all()
        finally:
            self._performing = False
        if state.wake_at < self.armed_at and state.phase is not Phase.CLOSED:
            self._arm(state.wake_at)
        if self._watchers:
            self._tell_watchers()

    def _start_all(self) -> None:
        actions, self.state.actions = self.state.actions, []
        rest = iter(actions)
        try:
            for action in rest:
                self.work.start(action)
        except BaseException:  # Ctrl-C, in the middle of a hook's first step: what was decided is done all the same
            self.state.actions[:0] = rest
            assert self.loop is not None
            self.loop.call_soon(self.perform, context=self._context)
            raise

    # --- time ------------------------------------------------------------------------------------------------------

    def _arm(self, at: float, least_sec: float = 0.0) -> None:
        if self._timer is not None:
            self._timer.cancel()
        assert self.loop is not None
        self.armed_at = at
        now = self.now()
        delay_sec = max(least_sec, at - now)
        self._timer = self.loop.call_later(delay_sec, self._on_timer, now + delay_sec, context=self._context)

    def _on_timer(self, due_at: float) -> None:
        self._timer = None
        self.armed_at = math.inf
        now = self.now()
        if now < self.state.wake_at:
            self._arm(self.state.wake_at, REARM_SEC)
            return
        try:
            if self.before_sweep is not None and now >= self.state.sweep_at:
                self.before_sweep()
            upkeep.tick(self.state, now, now - due_at)
        except BaseException:  # whatever was not reached is looked at again: no deadline depends on what raised
            self.state.wake(now + LOOK_AGAIN_SEC)
            raise
        finally:
            self.perform()

    async def until(self, predicate: Callable[[], bool], timeout_sec: float) -> bool:
        """Wait for `predicate`, looked at after every change; False when the time is over first."""
        if predicate() or timeout_sec <= 0:
            return predicate()
        assert self.loop is not None
        future: asyncio.Future[None] = self.loop.create_future()
        watcher = (predicate, future)
        self._watchers.append(watcher)
        try:
            async with asyncio.timeout(None if timeout_sec == math.inf else timeout_sec):
                await future
        except TimeoutError:
            return predicate()
        finally:
            if watcher in self._watchers:
                self._watchers.remove(watcher)
        return True

    def _tell_watchers(self) -> None:
        for watcher in list(self._watchers):
            predicate, future = watcher
            if not future.done() and predicate():
                future.set_result(None)
                self._watchers.remove(watcher)

    # --- shutdown --------------------------------------------------------------------------------------------------

    async def shutdown(self, timeout_sec: float) -> None:
        """End in a task of the pool's own, so that a caller who is cancelled leaves nothing half closed.

        A second call joins the first and can only bring its deadline forward.
        """
        self.bind()
        self._drain_until = min(self._drain_until, self.now() + timeout_sec)
        if self._shutdown is None:
            steering.begin_close(self.state, self.now())
            self.perform()
            assert self.loop is not None
            name = f"{self.state.knobs.name}-shutdown"
            self._shutdown = self.loop.create_task(self._end(), name=name, context=self._context.copy())
        else:
            self._tell_watchers()
        await asyncio.shield(self._shutdown)

    async def _end(self) -> None:
        state = self.state
        try:
            while state.leased and (left := self._drain_until - self.now()) > 0:
                deadline = self._drain_until
                await self.until(lambda: not state.leased or self._drain_until < deadline, left)  # noqa: B023
        except asyncio.CancelledError:  # the loop is ending: no time to wait for holders
            pass
        steering.take_back_all(state, self.now())
        self.perform()
        try:
            await self.until(lambda: not state.entries, math.inf)  # every close is bounded by hook_timeout_sec
        finally:
            await self._stop()

    async def _stop(self) -> None:
        if stuck := await self.work.runner.finish(self.state.knobs.hook_timeout_sec):
            logger.warning("[%s] %d hooks would not end", self.state.knobs.name, stuck)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        steering.close_if_empty(self.state)

    @property
    def left_over(self) -> list[str]:
        """What a pool that is shut down must not have: a timer, running hooks (threads that hang cannot be ended)."""
        hooks = [f"{job!r}" for job in self.work.runner.jobs if not job.hangs]
        return [*hooks, *(["a timer"] if self._timer is not None else [])]
