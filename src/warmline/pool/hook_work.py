"""Performs one action of the core at a time: starts its hook, bounds it, and tells the core what came of it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from warmline.errors import WarmUpFailed
from warmline.pool import upkeep
from warmline.pool.actions import Action, Do
from warmline.pool.entry import CloseCause, Entry
from warmline.pool.hooks import HookRunner, is_async
from warmline.pool.recent import RecentlyClosed
from warmline.pool.signals import ENDS_THE_PROCESS, alive_signal, clear_hook, clear_session_state, closer_of
from warmline.pool.tier import Warmth

if TYPE_CHECKING:
    import asyncio
    import contextvars

    from warmline.pool.hook_set import PoolHooks
    from warmline.pool.hooks import Job
    from warmline.pool.sessions import Session
    from warmline.pool.state import PoolState

__all__ = ["HookWork"]

logger: logging.Logger = logging.getLogger("warmline.pool")

Ended = Callable[["Entry", Any, "BaseException | None"], None]


class HookWork:
    """The hooks of one pool at work; `perform` is called after each outcome."""

    runner: HookRunner
    now: Callable[[], float]
    _loop: asyncio.AbstractEventLoop

    def __init__(
        self, hooks: PoolHooks, state: PoolState, context: contextvars.Context, perform: Callable[[], None]
    ) -> None:
        self.hooks = hooks
        self.state = state
        self.recently_closed: RecentlyClosed = RecentlyClosed()
        self.hear: Callable[[], None] = lambda: None
        self._context = context
        self._perform = perform
        self._jobs: dict[Entry, Job] = {}
        state.queued_sec = self._queued_sec

    def bind(self, loop: asyncio.AbstractEventLoop, now: Callable[[], float]) -> None:
        """Nothing can run before it."""
        self.runner = HookRunner(self.state.knobs.name, loop, self._context)
        self.now = now
        self._loop = loop

    def start(self, action: Action) -> None:
        """Begin it, or drop the hook that is running on its entry."""
        do, entry = action
        if do is Do.ABANDON:
            if (job := self._jobs.pop(entry, None)) is not None:
                self.runner.abandon(job)
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
            Do.RESET: (clear_session_state if self.hooks.reset is None else self.hooks.reset, self._reset),
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
            try:
                done(entry, value, error)
            finally:
                self._perform()

        self._jobs[entry] = self.runner.start(hook, args, ended, late, essential=essential)

    def _queued_sec(self, entry: Entry) -> float:
        job = self._jobs.get(entry)
        return 0.0 if job is None or job.thread is None else job.thread.queued_sec

    def _created(self, entry: Entry, resource: Any, error: BaseException | None) -> None:
        now = self.now()
        if error is not None:
            self._failed(entry, error)
            return
        try:
            self._read_signals(entry, resource)
        except ENDS_THE_PROCESS:
            raise
        except BaseException as raised:  # by a property, perhaps: what cannot be looked at is closed
            error = raised
        self.state.created(entry, resource, now, error)

    def _read_signals(self, entry: Entry, resource: Any) -> None:
        entry.alive = alive_signal(resource, functools.partial(self._died, entry))
        entry.clear = clear_hook(resource)
        entry.clears_slowly = entry.clear is not None and is_async(entry.clear)
        entry.simple = entry.alive is None and entry.clear is None

    def _failed(self, entry: Entry, error: BaseException) -> None:
        # Only the type: the text of a provider's error may hold a key.
        name = self.state.knobs.name
        logger.debug("[%s] Creation failed: %s", name, type(error).__name__)
        was_open = self.state.breaker.open
        self.state.creation_failed(entry, error, self.now())
        if self.state.breaker.open and not was_open:
            logger.warning(
                "[%s] The provider keeps failing (%s): asked less often until it answers", name, type(error).__name__
            )

    def _warmed(self, entry: Entry, value: Any, error: BaseException | None) -> None:
        if error is None and value is False:
            error = WarmUpFailed(f"[{self.state.knobs.name}] the warm-up returned False")
        if error is not None:
            upkeep.note_warm_up_failed(self.state, error)
            self._failed(entry, error)
        else:
            logger.debug("Warmed resource for pool: %s", self.state.knobs.name)
            self.state.warmed(entry, value if isinstance(value, Warmth) else None, self.now())

    def _checked(self, cause: CloseCause, entry: Entry, value: Any, error: BaseException | None) -> None:
        failed = error is not None or value is False
        self.state.checked(entry, cause if failed else None, self.now())

    def _reset(self, entry: Entry, value: Any, error: BaseException | None) -> None:
        self.state.reset_done(entry, ok=error is None and value is not False, now=self.now())

    def _ask_active(self, entry: Entry) -> None:
        session, hook = entry.session, self.hooks.active
        if session is None or hook is None:
            return

        def answered(value: Any, error: BaseException | None) -> None:
            bound.cancel()
            self.hear()  # a `touch` while it was asked speaks for the session
            active = None if error is not None or value is None else bool(value)
            upkeep.activity_known(self.state, session, active, self.now())
            self._perform()

        job = self.runner.start(hook, (entry.resource,), answered, lambda _: None)
        bound = self._bound(job, session)

    def _bound(self, job: Job, session: Session | None = None) -> asyncio.TimerHandle:
        """Abandon a hook that belongs to no entry when its time is over."""

        def give_up() -> None:
            self.state.counters.abandoned_hooks += 1
            self.runner.abandon(job)
            if session is not None:
                session.asking = False

        return self._loop.call_later(self.state.knobs.hook_timeout_sec, give_up, context=self._context)

    def _died(self, entry: Entry) -> None:
        if self.state.invalidate(entry, CloseCause.DIED, self.now()):
            self._perform()

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
        return closer_of(resource)

    def _close_late(self, resource: Any) -> None:
        """A factory past its bound gave something after all: nobody will use it, so it is closed."""
        if resource is None or id(resource) in self.state.by_resource:
            return
        self.state.counters.late_results_closed += 1
        closer = self._closer(resource)
        if closer is not None:
            job = self.runner.start(closer, (), lambda _value, _error: bound.cancel(), lambda _: None, essential=True)
            bound = self._bound(job)
