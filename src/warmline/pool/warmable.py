"""The pool that people use: an API over the engine."""

from __future__ import annotations

import contextvars
import logging
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from warmline.errors import ConfigError
from warmline.pool import lending, steering
from warmline.pool.api import Acquires, FloorPolicy, Operates
from warmline.pool.engine import Engine
from warmline.pool.hook_call import call_hook
from warmline.pool.hook_set import PoolHooks
from warmline.pool.knobs import PoolKnobs
from warmline.pool.phase import Phase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from warmline.clock import Clock
    from warmline.pool.budget import CreationBudget
    from warmline.pool.capacity import Capacity

T = TypeVar("T")

__all__ = ["WarmableResourcePool"]

logger: logging.Logger = logging.getLogger("warmline.pool")


class WarmableResourcePool(Acquires[T], Operates):
    """Keeps resources that are costly to make warm, and lends each to one session at a time.

    Every knob, with its default, its minimum and when it is ignored: docs/reference/pool-knobs.md. Every hook takes
    the resource (the factory nothing), may be sync or async, and is bounded in time; a sync one runs in a thread.
    A hook fails by raising or by returning False.

    Raises:
        ConfigError: a knob is out of its range.
    """

    def __init__(
        self,
        factory: Callable[[], Awaitable[T] | T],
        *,
        name: str = "pool",
        warm_pool_size: int | Literal["auto"] = 1,
        warm_fn: Callable[[T], Any] | None = None,
        validate_fn: Callable[[T], Any] | None = None,
        keepalive_fn: Callable[[T], Any] | None = None,
        reset_fn: Callable[[T], Any] | None = None,
        close_fn: Callable[[T], Any] | None = None,
        active_fn: Callable[[T], Any] | None = None,
        enable_background_warmup: bool = True,
        warmup_interval_sec: float = 30.0,
        session_awareness: bool = True,
        session_max_age_sec: float = 1800.0,
        stale_sessions: Literal["flag", "reclaim"] = "flag",
        recycle: bool = True,
        max_size: int | None = None,
        max_spares: int | None = None,
        max_waiting: int | None = None,
        max_concurrent_creates: int = 16,
        creates_per_minute: int | None = None,
        create_timeout_sec: float = 10.0,
        hook_timeout_sec: float = 5.0,
        acquire_timeout_sec: float = 30.0,
        retry_min_sec: float = 0.25,
        retry_max_sec: float = 5.0,
        max_idle_sec: float | None = None,
        max_lifetime_sec: float | None = None,
        keepalive_interval_sec: float | None = None,
        validate_after_sec: float | None = None,
        floor_policy: FloorPolicy | None = None,
        prefer_fn: Callable[[T], float] | None = None,
        min_warm: int | None = None,
        warm_interval_sec: float | None = None,
        clock: Clock | None = None,
        _budget: CreationBudget | None = None,
        _capacity: Capacity | None = None,
    ) -> None:
        super().__init__(floor_policy)
        self._knobs = PoolKnobs(
            name=name,
            warm_pool_size=_either("warm_pool_size", cast("int", warm_pool_size), 1, "min_warm", min_warm),
            enable_background_warmup=enable_background_warmup,
            warmup_interval_sec=_either(
                "warmup_interval_sec", warmup_interval_sec, 30.0, "warm_interval_sec", warm_interval_sec
            ),
            session_awareness=session_awareness,
            session_max_age_sec=session_max_age_sec,
            stale_sessions=stale_sessions,
            recycle=recycle,
            max_size=max_size,
            max_spares=max_spares,
            max_waiting=max_waiting,
            max_concurrent_creates=max_concurrent_creates,
            creates_per_minute=creates_per_minute,
            create_timeout_sec=create_timeout_sec,
            hook_timeout_sec=hook_timeout_sec,
            acquire_timeout_sec=acquire_timeout_sec,
            retry_min_sec=retry_min_sec,
            retry_max_sec=retry_max_sec,
            max_idle_sec=max_idle_sec,
            max_lifetime_sec=max_lifetime_sec,
            keepalive_interval_sec=keepalive_interval_sec,
            validate_after_sec=validate_after_sec,
        )
        self._warm_fn = warm_fn
        overridden = type(self)._warm_resource is not WarmableResourcePool._warm_resource
        hooks = PoolHooks(
            factory=factory,
            warm=self._warm_resource if overridden else warm_fn,
            validate=validate_fn,
            keepalive=keepalive_fn,
            reset=reset_fn,
            close=close_fn,
            active=active_fn,
            prefer=prefer_fn,
        )
        context = contextvars.copy_context()
        self._engine = Engine(self._knobs, hooks, context, clock=clock, budget=_budget, capacity=_capacity)
        self._state = self._engine.state
        self._engine.before_sweep = self._before_sweep
        self._engine.work.hear = self._hear
        self._preparing = 0
        self._prepared = False

    async def _warm_resource(self, resource: T) -> Any:
        """Warm one resource. Subclasses override it, and may call `super()`, which calls `warm_fn`."""
        return None if self._warm_fn is None else await call_hook(self._engine.work.runner, self._warm_fn, resource)

    async def prepare(self) -> None:
        """Open the pool and fill its floor.

        Returns when the floor stands, at the first failed creation, or after `create_timeout_sec`, whichever comes
        first; a provider that is down is no reason not to start. Harmless when called again.

        Raises:
            PoolClosed: after `shutdown`, or once it begins.
        """
        state, log = self._state, f"[{self.name}]"
        failures = state.counters.create_failures
        self._open()
        if not self._prepared:  # an earlier call may have been cancelled
            steering.begin_fill(state, self._engine.now())
            self._engine.perform()
        self._preparing += 1
        try:
            await self._engine.until(
                lambda: self._stands(state.floor) or not state.open or state.counters.create_failures > failures,
                self._knobs.create_timeout_sec,
            )
        finally:
            self._preparing -= 1
            state.first_fill = state.first_fill and self._preparing > 0
        lending.check_open(state)
        self._prepared = True
        if self._knobs.enable_background_warmup:
            logger.debug("%s Started background warmup (interval=%ss)", log, self._knobs.warmup_interval_sec)
        aware = self._knobs.session_awareness
        logger.debug("%s Pool ready (warm_size=%d, session_awareness=%s)", log, state.spares, aware)

    def _open(self) -> None:
        """Callers are welcome from here on, and the floor begins to fill."""
        state = self._state
        self._engine.bind()
        if state.phase is not Phase.NEW:
            lending.check_open(state)
            return
        logger.debug("[%s] Pre-warming %d resources...", self.name, state.floor)
        steering.open_pool(state, self._engine.now())
        self._engine.perform()

    async def wait_warm(self, n: int | None = None, timeout: float = 10.0) -> bool:
        """True once `n` spares stand (default: the floor), False when `timeout` seconds are over first.

        After `rotate()` only spares made since count. False, too, once `shutdown` begins.
        """
        self._engine.bind()
        state = self._state

        def closes() -> bool:
            return state.phase in (Phase.CLOSING, Phase.CLOSED)

        stands = await self._engine.until(lambda: closes() or self._stands(state.floor if n is None else n), timeout)
        return stands and not closes()

    def _stands(self, spares: int) -> bool:
        return self._state.current_spares >= spares

    async def shutdown(self, timeout: float = 5.0) -> None:
        """Turn callers away, wait up to `timeout` seconds for leases to end, close everything.

        Resources that are still held then are closed under their holders. Cancelling this call does not stop the
        shutdown; calling again joins it.
        """
        await self._engine.shutdown(timeout)
        for stream in list(self._streams):
            stream.close()

    aclose = shutdown

    async def __aenter__(self) -> WarmableResourcePool[T]:
        try:
            await self.prepare()
        except BaseException:
            await self.shutdown(0.0)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shutdown()


N = TypeVar("N", int, float)


def _either(name: str, value: N, default: N, alias: str, aliased: N | None) -> N:
    """A knob that has two names."""
    if aliased is None:
        return value
    if value not in (default, aliased):
        raise ConfigError(f"{name}={value!r} and {alias}={aliased!r} are the same knob: give one")
    return aliased
