"""The shell: performs what the core decides, and feeds the outcomes and the passage of time back to it."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warmline.clock import SystemClock
from warmline.errors import PoolNotReady, WarmUpFailed
from warmline.pool import steering, upkeep
from warmline.pool.actions import Action, Do
from warmline.pool.entry import CloseCause, Entry
from warmline.pool.hooks import HookRunner, Job, is_async
from warmline.pool.recent import RecentlyClosed
from warmline.pool.signals import alive_signal, clear_hook, clear_session_state
from warmline.pool.state import HookSet, Phase, PoolState
from warmline.pool.tier import Warmth

if TYPE_CHECKING:
    import contextvars

    from warmline.clock import Clock
    from warmline.pool.budget import CreationBudget
    from warmline.pool.capacity import Capacity
    from warmline.pool.knobs import PoolKnobs
    from warmline.pool.sessions import Session

__all__ = ["Engine", "PoolHooks"]

logger: logging.Logger = logging.getLogger("warmline.pool")

Ended = Callable[["Entry", Any, "BaseException | None"], None]
REARM_SEC = 0.001  # an early timer (uvloop rounds to milliseconds) is not asked again sooner


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolHooks:
    """The callables of a pool, each sync or async, each bounded in time."""

    factory: Callable[[], Any]
    warm: Callable[[Any], Any] | None = None
    validate: Callable[[Any], Any] | None = None
    keepalive: Callable[[Any], Any] | None = None
    reset: Callable[[Any], Any] | None = None
    close: Callable[[Any], Any] | None = None
    active: Callable[[Any], Any] | None = None
    prefer: Callable[[Any], float] | None = None
    """Not a hook in the sense above: called inline at a hand-out, it orders the spares."""


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
        self.hooks = hooks
        has = HookSet(
            warm=hooks.warm is not None,
            validate=hooks.validate is not None,
            keepalive=hooks.keepalive is not None,
            reset=hooks.reset is not None,
            active=hooks.active is not None,
        )
        self.state: PoolState = PoolState(knobs, clock or SystemClock(), has, budget=budget, capacity=capacity)
        self.state.prefer = hooks.prefer
        self.loop: asyncio.AbstractEventLoop | None = None
        self.now: Callable[[], float] = (
            time.monotonic if clock is None else clock.now
        )  # SystemClock's own, without the way round
        self.before_sweep: Callable[[], None] | None = None
        self._clock_given = clock is not None
        self._context = context
        self._runner: HookRunner | None = None
        self._jobs: dict[Entry, Job] = {}
        self.recently_closed: RecentlyClosed = RecentlyClosed()
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
        self._runner = HookRunner(self.state.knobs.name, running, self._context)
        if not self._clock_given:  # on a loop with a time of its own (warmline.testing), that time is ours
            self.state.clock = self.state.breaker.clock = getattr(running, "clock", self.state.clock)
            if hasattr(running, "clock"):
                self.now = self.state.clock.now

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
                actions, state.actions = state.actions, []
                for action in actions:
                    self._start(action)
        finally:
            self._performing = False
        if state.wake_at < self.armed_at and state.phase is not Phase.CLOSED:
            self._arm(state.wake_at)
        if self._watchers:
            self._tell_watchers()

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
        if self.before_sweep is not None and now >= self.state.sweep_at:
            self.before_sweep()
        upkeep.tick(self.state, now, now - due_at)
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

    # --- hooks -----------------------------------------------------------------------------------------------------

    def _start(self, action: Action) -> None:
        do, entry = action
        if do is Do.ABANDON:
            if (job := self._jobs.pop(entry, None)) is not None:
                assert self._runner is not None
                self._runner.abandon(job)
        elif do is Do.CREATE:
            self._run(entry, self.hooks.factory, (), self._created, self._close_late)
        elif do is Do.CLOSE:
            self._begin_close(entry)
        elif do is Do.ASK_ACTIVE:
            self._ask_active(entry)
        else:
            self._run_on_resource(do, entry)

    def _run_on_resource(self, do: Do, entry: Entry) -> None:
        known: dict[Do, tuple[Callable[[Any], Any] | None, Ended]] = {
            Do.WARM: (self.hooks.warm, self._warmed),
            Do.VALIDATE: (self.hooks.validate, functools.partial(self._checked, CloseCause.INVALID)),
            Do.KEEP_ALIVE: (self.hooks.keepalive, functools.partial(self._checked, CloseCause.DIED)),
            Do.RESET: (self.hooks.reset or clear_session_state, self._reset),
        }
        hook, ended = known[do]
        assert hook is not None
        self._run(entry, hook, (entry.resource,), ended)

    def _run(
        self,
        entry: Entry,
        hook: Callable[..., Any],
        args: tuple[Any, ...],
        done: Callable[[Entry, Any, BaseException | None], None],
        late: Callable[[Any], None] = lambda _: None,
        *,
        essential: bool = False,
    ) -> None:
        def ended(value: Any, error: BaseException | None) -> None:
            self._jobs.pop(entry, None)
            done(entry, value, error)
            self.perform()

        assert self._runner is not None
        self._jobs[entry] = self._runner.start(hook, args, ended, late, essential=essential)

    def _created(self, entry: Entry, resource: Any, error: BaseException | None) -> None:
        now = self.now()
        if error is not None:
            self._failed(entry, error)
            return
        entry.alive = alive_signal(resource, functools.partial(self._died, entry))
        entry.clear = clear_hook(resource)
        entry.clears_slowly = entry.clear is not None and is_async(entry.clear)
        entry.simple = entry.alive is None and entry.clear is None
        self.state.created(entry, resource, now)

    def _failed(self, entry: Entry, error: BaseException) -> None:
        # Only the type: the text of a provider's error may hold a key.
        name = self.state.knobs.name
        logger.debug("[%s] Creation failed: %s", name, type(error).__name__)
        was_open = self.state.breaker.open
        self.state.creation_failed(entry, error, self.now())
        if self.state.breaker.open and not was_open:
            logger.warning("[%s] The provider keeps failing (%s): callers are refused", name, type(error).__name__)

    def _warmed(self, entry: Entry, value: Any, error: BaseException | None) -> None:
        if error is None and value is False:
            error = WarmUpFailed(f"[{self.state.knobs.name}] the warm-up returned False")
        if error is not None:
            self._failed(entry, error)
        else:
            self.state.warmed(entry, value if isinstance(value, Warmth) else None, self.now())

    def _checked(self, cause: CloseCause, entry: Entry, value: Any, error: BaseException | None) -> None:
        failed = error is not None or value is False
        self.state.checked(entry, cause if failed else None, self.now())

    def _reset(self, entry: Entry, value: Any, error: BaseException | None) -> None:
        self.state.reset_done(entry, ok=error is None and value is not False, now=self.now())

    def _ask_active(self, entry: Entry) -> None:
        session, hook = entry.session, self.hooks.active
        if session is None or hook is None or self._runner is None:
            return

        def answered(value: Any, error: BaseException | None) -> None:
            bound.cancel()
            active = None if error is not None or value is None else bool(value)
            upkeep.activity_known(self.state, session, active, self.now())
            self.perform()

        job = self._runner.start(hook, (entry.resource,), answered, lambda _: None)
        bound = self._bound(job, session)

    def _bound(self, job: Job, session: Session | None = None) -> asyncio.TimerHandle:
        """Abandon a hook that belongs to no entry when its time is over."""

        def give_up() -> None:
            assert self._runner is not None
            self.state.counters.abandoned_hooks += 1
            self._runner.abandon(job)
            if session is not None:
                session.asking = False

        assert self.loop is not None
        return self.loop.call_later(self.state.knobs.hook_timeout_sec, give_up, context=self._context)

    def _died(self, entry: Entry) -> None:
        if self.state.invalidate(entry, CloseCause.DIED, self.now()):
            self.perform()

    # --- closing ---------------------------------------------------------------------------------------------------

    def _begin_close(self, entry: Entry) -> None:
        self.recently_closed.add(entry.resource)
        closer = self._closer(entry.resource)
        if closer is None:
            self.state.closed(entry, self.now())
        else:
            self._run(entry, closer, (), self._closed, essential=True)

    def _closed(self, entry: Entry, _value: Any, error: BaseException | None) -> None:
        if error is not None:
            self.state.counters.close_failures += 1
            logger.debug("[%s] Close failed: %s", self.state.knobs.name, type(error).__name__)
        self.state.closed(entry, self.now())

    def _closer(self, resource: Any) -> Callable[[], Any] | None:
        if self.hooks.close is not None:
            return functools.partial(self.hooks.close, resource)
        closer = getattr(resource, "aclose", None) or getattr(resource, "close", None)
        return closer if callable(closer) else None

    def _close_late(self, resource: Any) -> None:
        """A factory past its bound gave something after all: nobody will use it, so it is closed."""
        if resource is None or id(resource) in self.state.by_resource:
            return
        self.state.counters.late_results_closed += 1
        closer = self._closer(resource)
        if closer is not None and self._runner is not None:
            job = self._runner.start(closer, (), lambda _value, _error: bound.cancel(), lambda _: None, essential=True)
            bound = self._bound(job)

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
        if self._runner is not None:
            stuck = await self._runner.finish(self.state.knobs.hook_timeout_sec)
            if stuck:
                logger.warning("[%s] %d hooks would not end", self.state.knobs.name, stuck)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        steering.close_if_empty(self.state)

    @property
    def left_over(self) -> list[str]:
        """What a pool that is shut down must not have: a timer, running hooks (threads that hang cannot be ended)."""
        hooks = [] if self._runner is None else [f"{job!r}" for job in self._runner.jobs if not job.hangs]
        return [*hooks, *(["a timer"] if self._timer is not None else [])]
