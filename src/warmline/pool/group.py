"""Many profiles, one maximum and one creation budget: a pool for each, and a resource never crosses between them."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from warmline.errors import ConfigError
from warmline.pool import decide
from warmline.pool.budget import CreationBudget
from warmline.pool.capacity import Capacity
from warmline.pool.entry import CloseCause
from warmline.pool.warmable import WarmableResourcePool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warmline.pool.lease import Lease
    from warmline.pool.snapshot import PoolSnapshot

P = TypeVar("P", bound=Hashable)
T = TypeVar("T")

__all__ = ["PoolGroup"]


class PoolGroup(Generic[P, T]):
    """One pool a profile (endpoint, credential, model, voice, format), made on its first use.

    All pools together hold at most `max_size` resources and start at most `creates_per_minute` creations. A caller who
    finds the group full takes the place of the longest-idle spare of the profile that was used least recently, whose
    floor is one lower until it is used again. A profile that nobody has used for `forget_after_sec` keeps no spares any
    more, and its pool goes once it is empty.

    Args:
        knobs: what `WarmableResourcePool` takes, for one profile: its factory and hooks, its floor, its limits.
    """

    def __init__(
        self,
        knobs: Callable[[P], Mapping[str, Any]],
        *,
        max_size: int,
        creates_per_minute: int | None = None,
        forget_after_sec: float = 600.0,
        name: str = "group",
    ) -> None:
        if max_size < 1:
            raise ConfigError(f"[{name}] max_size={max_size!r}: expected a whole number of at least 1")
        self._knobs = knobs
        self._name = name
        self._forget_after_sec = forget_after_sec
        self._capacity = Capacity(max_size)
        self._capacity.on_freed = self._room_is_free
        self._capacity.callers_waiting = lambda: sum(len(pool._state.queue) for pool in self._pools.values())
        self._budget = CreationBudget(creates_per_minute)
        self._pools: dict[P, WarmableResourcePool[T]] = {}  # least recently used first
        self._floors: dict[P, int] = {}  # as configured
        self._allowed: dict[P, int] = {}  # less what was given up since the profile was last used
        self._used_at: dict[P, float] = {}
        self._offering = False

    @property
    def profiles(self) -> tuple[P, ...]:
        """Those that have a pool, least recently used first."""
        return tuple(self._pools)

    async def pool(self, profile: P) -> WarmableResourcePool[T]:
        """The pool of `profile`, made and opened on first use; its floor fills in the background.

        Ask for it anew for each call: that is what keeps a profile from being forgotten.
        """
        pool = self._pools.pop(profile, None)
        if pool is None:
            await self._forget_empty_pools()
            pool = self._pools.pop(profile, None) or self._make(profile)
        self._pools[profile] = pool
        pool._open()
        self._used_at[profile] = pool._engine.now()
        self._allowed[profile] = self._floors[profile]
        if pool._state.floor != self._floors[profile]:
            await pool.resize(warm_pool_size=self._floors[profile])
        if not pool._state.spares and not pool._state.in_flight:
            self._make_room(profile)
        return pool

    async def lease(self, profile: P, session_id: str | None = None, timeout: float | None = None) -> Lease[T]:
        """`async with await group.lease(profile, session_id) as lease`; see `WarmableResourcePool.lease`."""
        return (await self.pool(profile)).lease(session_id, timeout)

    def snapshot(self) -> dict[P, PoolSnapshot]:
        """One snapshot a profile."""
        return {profile: pool.snapshot() for profile, pool in self._pools.items()}

    async def shutdown(self, timeout: float = 5.0) -> None:
        """Shut every pool down, side by side."""
        await asyncio.gather(*(pool.shutdown(timeout) for pool in self._pools.values()))

    aclose = shutdown

    async def __aenter__(self) -> PoolGroup[P, T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shutdown()

    def _make(self, profile: P) -> WarmableResourcePool[T]:
        knobs = {"name": f"{self._name}-{len(self._floors)}"} | dict(self._knobs(profile))
        if "floor_policy" in knobs or "creates_per_minute" in knobs:
            raise ConfigError(f"[{self._name}] floor_policy and creates_per_minute belong to the group")

        def floor(_snapshot: PoolSnapshot) -> int:
            silent_sec = pool._engine.now() - self._used_at[profile]
            return 0 if silent_sec >= self._forget_after_sec else self._allowed[profile]

        pool: WarmableResourcePool[T] = WarmableResourcePool(
            **knobs, floor_policy=floor, _budget=self._budget, _capacity=self._capacity
        )
        self._floors[profile] = self._allowed[profile] = pool._state.floor
        return pool

    async def _forget_empty_pools(self) -> None:
        for profile in [profile for profile, pool in self._pools.items() if self._is_over(profile, pool)]:
            pool = self._pools.pop(profile)
            await pool.shutdown(0.0)

    def _is_over(self, profile: P, pool: WarmableResourcePool[T]) -> bool:
        """Forgotten, empty, and nobody waits: a floor of 0 alone says none of it."""
        state = pool._state
        silent_sec = pool._engine.now() - self._used_at[profile]
        return silent_sec >= self._forget_after_sec and not (state.floor or state.live or state.queue)

    def _make_room(self, wanting: P) -> None:
        """The group is full: the least recently used profile that has a spare gives up its longest-idle one."""
        if self._capacity.has_room():
            return
        for profile, pool in self._pools.items():
            if profile != wanting and pool._state.shelf:
                self._allowed[profile] = max(0, pool._state.floor - 1)
                pool._state.set_floor(self._allowed[profile])
                pool._state.close(pool._state.shelf[0], CloseCause.SURPLUS, pool._engine.now())
                pool._engine.perform()
                return

    def _room_is_free(self) -> None:
        """Not at once: a pool is in the middle of a transition."""
        if not self._offering:
            self._offering = True
            asyncio.get_running_loop().call_soon(self._offer_room)

    def _offer_room(self) -> None:
        """Callers first, in all pools; floors after them."""
        self._offering = False
        for pool in sorted(self._pools.values(), key=lambda pool: not pool._state.queue):
            if pool._state.open:
                decide.pump(pool._state, pool._engine.now())
                pool._engine.perform()
