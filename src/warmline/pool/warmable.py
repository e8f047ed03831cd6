"""The pool that people use: an API over the engine."""

from __future__ import annotations

import contextvars
import inspect
import logging
import math
import threading
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

from warmline.errors import ConfigError, ForeignResource, PoolError, PoolTimeout
from warmline.events import AcquireFailed, ResourceAcquired, ResourceReleased
from warmline.pool import lending, returning, steering, upkeep
from warmline.pool.engine import Engine, PoolHooks
from warmline.pool.entry import CloseCause, Entry
from warmline.pool.knobs import PoolKnobs
from warmline.pool.lease import Lease
from warmline.pool.observation import EventStream
from warmline.pool.sessions import Session, Use, Waiter
from warmline.pool.snapshot import PoolSnapshot, snapshot_of
from warmline.pool.state import Phase
from warmline.pool.tier import AllocationTier

if TYPE_CHECKING:
    from types import TracebackType

    from warmline.clock import Clock
    from warmline.events import Event
    from warmline.pool.budget import CreationBudget
    from warmline.pool.capacity import Capacity

T = TypeVar("T")
FloorPolicy = Callable[[PoolSnapshot], int]

__all__ = ["FloorPolicy", "WarmableResourcePool"]

logger: logging.Logger = logging.getLogger("warmline.pool")
FINE, BROKEN = Use.FINE, Use.BROKEN
_is_enabled_for, _DEBUG = logger.isEnabledFor, logging.DEBUG


class WarmableResourcePool(Generic[T]):
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
        self._floor_policy = floor_policy
        self._streams: list[EventStream] = []
        self._touched: dict[str, float] = {}
        self._touch_lock = threading.Lock()

    @property
    def name(self) -> str:
        """For logs, errors and snapshots."""
        return self._knobs.name

    async def _warm_resource(self, resource: T) -> Any:
        """Warm one resource. Subclasses override it; without an override `warm_fn` is called as it is."""
        if self._warm_fn is None:
            return None
        outcome = self._warm_fn(resource)
        return await outcome if inspect.isawaitable(outcome) else outcome

    # --- life ------------------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Open the pool and fill its floor.

        Returns when the floor stands, at the first failed creation, or after `create_timeout_sec`, whichever comes
        first; a provider that is down is no reason not to start. Harmless when called again.

        Raises:
            PoolClosed: after `shutdown`.
        """
        state, log = self._state, f"[{self.name}]"
        failures = state.counters.create_failures
        self._open()
        await self._engine.until(
            lambda: state.spares >= state.floor or state.counters.create_failures > failures,
            self._knobs.create_timeout_sec,
        )
        state.first_fill = False
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
        """True once `n` spares stand (default: the floor), False when `timeout` seconds are over first."""
        self._engine.bind()
        state = self._state
        return await self._engine.until(lambda: state.spares >= (state.floor if n is None else n), timeout)

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

    # --- acquire ---------------------------------------------------------------------------------------------------

    async def acquire_for_session(
        self,
        session_id: str,
        timeout: float | None = None,
    ) -> tuple[T, AllocationTier]:
        """The session's resource, and where it came from: its own, a warm spare, or a creation.

        Args:
            session_id: concurrent acquires of one session get one resource.
            timeout: seconds; None is `acquire_timeout_sec`, 0 takes only what is ready, `math.inf` waits.

        Raises:
            PoolTimeout, PoolSaturated, CreateFailed, PoolNotReady, PoolClosed: as their names say.
        """
        engine = self._engine
        if get_running_loop() is not engine.loop:
            self._refuse_loop()
        now = engine.now()
        session = lending.take(self._state, session_id, now)
        waiter = None
        if session is None:
            waiter = await self._wait(session_id, timeout, now, lease=False)
            session, tier = waiter.session, waiter.tier
        else:
            tier = session.tier
            if self._state.actions or self._state.wake_at < engine.armed_at:
                engine.perform()
        if self._state.emit is not None or _is_enabled_for(_DEBUG):
            self._note_acquired(session, tier, waiter)
        return session.entry.resource, tier  # type: ignore[union-attr]  # held, or the wait would have raised

    async def acquire(self, timeout: float | None = None) -> T:
        """A resource for a one-off use without a session; give it back with `release`. Arguments, errors: as above."""
        engine, state = self._engine, self._state
        if get_running_loop() is not engine.loop:
            self._refuse_loop()
        now = engine.now()
        session = lending.take(state, None, now)
        waiter = None
        if session is None:
            waiter = await self._wait(None, timeout, now, lease=False)
            session = waiter.session
        elif state.actions or state.wake_at < engine.armed_at:
            engine.perform()
        if state.emit is not None or _is_enabled_for(_DEBUG):
            self._note_acquired(session, session.tier, waiter)
        return session.entry.resource  # type: ignore[union-attr,no-any-return]  # held, or the wait would have raised

    def lease(self, session_id: str | None = None, timeout: float | None = None) -> Lease[T]:
        """`async with pool.lease(session_id) as lease: lease.resource` - the recommended form; see `Lease`."""
        return Lease(self, session_id, timeout)

    def prefetch(self, session_id: str) -> None:
        """Get this session's resource now, in the background; its first acquire joins.

        A failure surfaces there. What nobody comes for is given back on `release_for_session`, or after
        `session_max_age_sec`.

        Raises:
            PoolNotReady, PoolClosed: as in `acquire_for_session`.
        """
        self._here()
        lending.check_open(self._state)
        if self._knobs.session_awareness:
            lending.prefetch(self._state, session_id, self._engine.now())
            self._engine.perform()

    async def _wait(self, session_id: str | None, timeout: float | None, now: float, *, lease: bool) -> Waiter:
        try:
            waiter = self._ask(session_id, timeout, now, lease)
            if not waiter.done:
                waiter.future = self._engine.loop.create_future()  # type: ignore[union-attr]  # bound: a request was made
                try:
                    await waiter.future
                except BaseException:  # cancelled, perhaps in the instant of the hand-over: then it goes to the next
                    lending.withdraw(self._state, waiter, self._engine.now())
                    self._engine.perform()
                    raise
            if waiter.error is not None:
                raise waiter.error
            lending.claim(self._state, waiter)
        except PoolError as error:
            self._emit_failed(error, now)
            raise
        return waiter

    def _ask(self, session_id: str | None, timeout: float | None, now: float, lease: bool) -> Waiter:
        """One request; it may be served or refused at once."""
        state = self._state
        limit = self._knobs.acquire_timeout_sec if timeout is None else timeout
        if math.isnan(limit) or limit < 0:
            raise ConfigError(f"[{self.name}] timeout={timeout!r}: expected seconds, not negative")
        waiter = lending.request(state, session_id, now, now + limit, lease=lease, patient=limit > 0)
        if limit == 0 and not waiter.done:
            lending.withdraw(state, waiter, now)
            waiter.error = state.error(PoolTimeout, "nothing was ready")
            state.counters.timed_out += 1
        self._engine.perform()
        return waiter

    def _emit_failed(self, error: PoolError, asked_at: float) -> None:
        if self._state.emit is not None:
            now = self._engine.now()
            waited_ms = (now - asked_at) * 1e3
            self._state.emit(AcquireFailed(at_sec=now, pool=self.name, error=type(error).__name__, waited_ms=waited_ms))

    async def _enter(self, lease: Lease[T]) -> None:
        engine = self._engine
        self._here()
        now = engine.now()
        session = lending.take(self._state, lease._session_id, now, lease=True)
        waiter = None
        if session is None:
            waiter = await self._wait(lease._session_id, lease._timeout, now, lease=True)
            session = waiter.session
        elif self._state.actions or self._state.wake_at < engine.armed_at:
            engine.perform()
        tier = session.tier if waiter is None else waiter.tier
        joined = waiter is not None and waiter.joined
        waited_ms = 0.0 if waiter is None else waiter.waited_ms
        lease._begin(session, tier, joined, waited_ms, (engine.now() - now) * 1e3)
        self._note_acquired(session, tier, waiter)

    def _note_acquired(self, session: Session, tier: AllocationTier, waiter: Waiter | None) -> None:
        if self._state.emit is not None:
            acquired = ResourceAcquired(
                at_sec=self._engine.now(),
                pool=self.name,
                tier=tier.value,
                joined=waiter is not None and waiter.joined,
                waited_ms=0.0 if waiter is None else waiter.waited_ms,
                session_id=session.id,
            )
            self._state.emit(acquired)
        if _is_enabled_for(_DEBUG):
            of = f" for session {upkeep.short_id(session.id)}" if tier is AllocationTier.DEDICATED else ""
            logger.debug("[%s] Acquired %s resource%s", self.name, tier.name, of)

    # --- release ---------------------------------------------------------------------------------------------------

    async def release_for_session(
        self, session_id: str | None, resource: T | None = None, broken: bool = False
    ) -> bool:
        """The session is over: all its holds end, its resource is reset and recycled, or closed.

        Returns at once; a reset that takes time belongs to the pool. False, and counted, when there is nothing to
        release any more (twice, late). With session_id None this is `release(resource)`.

        Args:
            broken: never lend it again.

        Raises:
            ForeignResource: `resource` never came from this pool.
        """
        if session_id is None:
            return False if resource is None else await self.release(resource, broken)
        self._here()
        use = Use.BROKEN if broken else Use.FINE
        if resource is not None:
            entry = self._entry_of(resource)
            held = entry is not None and entry.session is not None and entry.session.id in (session_id, None)
            sessions = [entry.session] if held and entry is not None and entry.session is not None else []
        else:
            sessions = self._sessions_of(session_id)
        for session in sessions:
            self._finish(session, use)
        self._state.counters.late_releases += not sessions
        return bool(sessions)

    async def release(self, resource: T, broken: bool = False) -> bool:
        """Give back what `acquire` gave; as `release_for_session`. A second release of a resource that has been lent
        again in between cannot be told from the first of its new holder: `lease()` has no such gap."""
        if get_running_loop() is not self._engine.loop:
            self._refuse_loop()
        entry = self._state.by_resource.get(id(resource)) or self._entry_of(resource)
        if entry is None or entry.session is None:
            self._state.counters.late_releases += 1
            return False
        self._finish(entry.session, BROKEN if broken else FINE)
        return True

    def invalidate(self, resource: T) -> bool:
        """`resource` died: a spare is closed and replaced now, a leased one is closed when its session lets go.

        Raises:
            ForeignResource: it never came from this pool.
        """
        self._here()
        entry = self._entry_of(resource)
        return entry is not None and self._invalidate(entry, CloseCause.DIED)

    def _invalidate(self, entry: Entry, cause: CloseCause) -> bool:
        done = self._state.invalidate(entry, cause, self._engine.now())
        self._engine.perform()
        return done

    def _entry_of(self, resource: T) -> Entry | None:
        """The live entry of `resource`; None for one that was ours."""
        entry = self._state.by_resource.get(id(resource))
        if entry is None and resource not in self._engine.recently_closed:
            self._state.counters.foreign_releases += 1
            raise self._state.error(ForeignResource, f"a {type(resource).__name__} that this pool never made")
        return entry

    def _sessions_of(self, session_id: str) -> list[Session]:
        """The sessions of this id that hold something; a prefetch that still waits is called off."""
        if not self._knobs.session_awareness:
            held = (entry.session for entry in self._state.entries)
            return [session for session in held if session is not None and session.id == session_id]
        session = self._state.sessions.get(session_id)
        if session is None:
            return []
        return [session] if session.entry is not None or all(w.prefetch for w in session.waiters) else []

    def _finish(self, session: Session, use: Use) -> None:
        state, engine = self._state, self._engine
        now = engine.now()
        if session.entry is None:
            lending.withdraw(state, session.waiters[0], now)  # a prefetch that still waits
        elif session.unclaimed:
            returning.release_all(state, session, use, now)
        else:
            returning.finish(state, session, use, now)
        if state.woken or state.actions or state.wake_at < engine.armed_at:
            engine.perform()
        if state.emit is not None or (session.id is not None and _is_enabled_for(_DEBUG)):
            self._note_released(session, use)

    def _end_lease(self, session: Session, use: Use) -> None:
        if returning.end_lease(self._state, session, use, self._engine.now()):
            self._engine.perform()
            self._note_released(session, use)

    def _note_released(self, session: Session, use: Use) -> None:
        if self._state.emit is not None:
            now = self._engine.now()
            self._state.emit(ResourceReleased(at_sec=now, pool=self.name, use=use.value, session_id=session.id))
        if session.id is not None and session.ended:
            logger.debug("[%s] Released session resource for %s", self.name, upkeep.short_id(session.id))

    # --- steering --------------------------------------------------------------------------------------------------

    def touch(self, session_id: str) -> None:
        """This session lives. The one call that is safe from any thread.

        A session that has ever touched is reclaimed once it falls silent for `session_max_age_sec`.
        """
        now = self._engine.now()
        with self._touch_lock:
            self._touched[session_id] = now

    async def resize(self, warm_pool_size: int | None = None, max_size: float | None = None) -> None:
        """Another floor or maximum (`math.inf` for none); None leaves it as it is. Too many go on the next sweeps.

        Raises:
            ConfigError: not a size.
        """
        self._here()
        floor = self._state.floor if warm_pool_size is None else warm_pool_size
        limit = self._state.max_size if max_size is None else max_size
        if not isinstance(floor, int) or floor < 0 or limit < 1 or floor > limit:
            raise ConfigError(f"[{self.name}] cannot resize to warm_pool_size={floor!r}, max_size={limit!r}")
        steering.resize(self._state, warm_pool_size, max_size, self._engine.now())
        self._engine.perform()

    async def rotate(self) -> None:
        """Credentials or settings changed: spares are replaced now, leased resources close on return."""
        self._here()
        steering.rotate(self._state, self._engine.now())
        self._engine.perform()

    def reverify(self, older_than_sec: float = 0.0) -> None:
        """Keep alive now, not when it is due, every spare that was verified longer than `older_than_sec` ago.

        At most half of the spares are away for it at a time. Does nothing in a pool without keepalives.
        """
        self._here()
        steering.reverify(self._state, self._engine.now() - older_than_sec, self._engine.now())
        self._engine.perform()

    def suspend(self) -> None:
        """Callers wait and nothing is created until `resume`; sessions keep what they hold."""
        self._here()
        steering.suspend(self._state)

    def resume(self) -> None:
        """End `suspend`."""
        self._here()
        steering.resume(self._state, self._engine.now())
        self._engine.perform()

    # --- observation -----------------------------------------------------------------------------------------------

    def snapshot(self) -> PoolSnapshot:
        """What the pool is and has done, frozen; safe to log: it holds no key and no session id."""
        return snapshot_of(self._state)

    def observe(self, limit: int = 1024) -> EventStream:
        """Events from now on. They are built only while somebody observes; see `EventStream`."""
        stream = EventStream(limit, self._unobserve)
        self._streams.append(stream)
        self._state.emit = self._emit
        return stream

    def _unobserve(self, stream: EventStream) -> None:
        self._streams.remove(stream)
        if not self._streams:
            self._state.emit = None

    def _emit(self, event: Event) -> None:
        for stream in self._streams:
            stream.append(event)

    def check_invariants(self) -> None:
        """Every promise of the pool, checked now; see `warmline.testing`.

        Raises:
            InvariantBroken: naming the first that does not hold.
        """
        from warmline.pool.invariants import InvariantBroken, check_state

        check_state(self._state)
        if self._state.phase is Phase.CLOSED and self._engine.left_over:
            raise InvariantBroken("closed_means_idle", f"left after shutdown: {self._engine.left_over}")

    # --- inside ----------------------------------------------------------------------------------------------------

    def _here(self) -> None:
        if get_running_loop() is not self._engine.loop:
            self._refuse_loop()

    def _refuse_loop(self) -> None:
        if self._engine.loop is not None:
            self._engine.bind()  # raises: another loop
        lending.check_open(self._state)

    def _before_sweep(self) -> None:
        with self._touch_lock:
            touched, self._touched = self._touched, {}
        upkeep.heard(self._state, touched)
        if self._floor_policy is None:
            return
        try:
            floor = min(max(0, self._floor_policy(self.snapshot())), self._state.max_size)
        except Exception as error:  # a policy that fails leaves the floor as it was
            logger.warning("[%s] floor_policy failed: %s", self.name, type(error).__name__)
            return
        if floor != self._state.floor:
            steering.resize(self._state, int(floor), None, self._engine.now())


N = TypeVar("N", int, float)


def _either(name: str, value: N, default: N, alias: str, aliased: N | None) -> N:
    """A knob that has two names."""
    if aliased is None:
        return value
    if value not in (default, aliased):
        raise ConfigError(f"{name}={value!r} and {alias}={aliased!r} are the same knob: give one")
    return aliased
