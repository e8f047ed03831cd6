"""Many profiles, one maximum and one creation budget: a pool for each, and a resource never crosses between them."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from warmline.errors import ConfigError, PoolClosed
from warmline.pool import decide, steering
from warmline.pool.budget import CreationBudget
from warmline.pool.capacity import Capacity
from warmline.pool.entry import IN_MAKING, CloseCause, Entry, EntryState
from warmline.pool.warmable import WarmableResourcePool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warmline.pool.lease import Lease
    from warmline.pool.snapshot import PoolSnapshot
    from warmline.pool.state import PoolState

P = TypeVar("P", bound=Hashable)
T = TypeVar("T")

__all__ = ["PoolGroup"]


class _Member(Generic[T]):
    """One profile's pool, and what the group knows of it."""

    pool: WarmableResourcePool[T]
    floor = 0
    """As configured."""
    allowed = 0
    """The floor, less what was given up to other profiles' callers."""
    used_at = 0.0

    @property
    def state(self) -> PoolState:
        return self.pool._state

    @property
    def silent_sec(self) -> float:
        return self.pool._engine.now() - self.used_at

    def set_floor(self, floor: int) -> None:
        if floor != self.state.floor:
            steering.resize(self.state, floor, None, self.pool._engine.now())
            self.pool._engine.perform()

    def longest_idle(self) -> Entry | None:
        """The spare to part with: one that is on its way out rather than one that stays."""
        return next(itertools.chain(self.state.retiring, self.state.shelf), None)

    def part_with(self, spare: Entry) -> None:
        """Close it, and do not replace it."""
        state = self.state
        self.allowed = max(0, min(self.allowed, state.spares + state.count(*IN_MAKING) - 1))
        state.set_floor(min(state.floor, self.allowed))
        state.close(spare, CloseCause.SURPLUS, self.pool._engine.now())
        self.pool._engine.perform()

    def asked_at(self) -> float:
        """Since when the caller waits that has waited longest; `inf` when none does."""
        return min((waiter.asked_at for session in self.state.queue for waiter in session.waiters), default=math.inf)


class PoolGroup(Generic[P, T]):
    """One pool a profile (endpoint, credential, model, voice, format), made on its first use.

    All pools together hold at most `max_size` resources and start at most `creates_per_minute` creations. A caller who
    waits while the group is full, and the first use of a profile, take the place of the longest-idle spare of the
    profile that was used least recently. The floor of that one is lower for it until it is used again, or a sweep finds
    room. A profile that nobody has used for `forget_after_sec` keeps no spares any more, and its pool goes once it is
    empty.

    Args:
        knobs: what `WarmableResourcePool` takes, for one profile: its factory and hooks, its floor, its limits.

    Raises:
        ConfigError: `max_size` or `forget_after_sec` is out of its range.
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
        if not forget_after_sec > 0:
            raise ConfigError(f"[{name}] forget_after_sec={forget_after_sec!r}: expected more than 0 seconds")
        self._knobs = knobs
        self._name = name
        self._numbers = itertools.count()
        self._forget_after_sec = forget_after_sec
        self._capacity = Capacity(max_size)
        self._capacity.on_freed = self._room_is_free
        self._capacity.on_short = self._room_is_short
        self._capacity.callers_waiting = lambda: sum(len(member.state.queue) for member in self._members.values())
        self._budget = CreationBudget(creates_per_minute)
        self._members: OrderedDict[P, _Member[T]] = OrderedDict()  # least recently used first
        self._ending: set[asyncio.Task[None]] = set()  # the shutdowns of forgotten pools
        self._closed = False
        self._offering = False
        self._clearing = False

    @property
    def profiles(self) -> tuple[P, ...]:
        """Those that have a pool, least recently used first."""
        return tuple(self._members)

    async def pool(self, profile: P) -> WarmableResourcePool[T]:
        """The pool of `profile`, made and opened on first use; its floor fills in the background.

        Ask for it anew for each call: that is what keeps a profile from being forgotten.

        Raises:
            PoolClosed: after `shutdown`.
            ConfigError: the knobs of a profile that is used for the first time are wrong.
        """
        # Nothing is awaited here: between the look at a profile and its use nobody else can forget it.
        if self._closed:
            raise self._is_shut_down()
        member = self._members.get(profile)
        if member is None:
            self._forget_empty_pools()
            member = self._make(profile)
        member.pool._open()
        member.used_at = member.pool._engine.now()
        self._members[profile] = member
        self._members.move_to_end(profile)
        member.allowed = member.floor
        member.set_floor(member.floor)
        if member.floor and not member.state.live and not member.state.breaker.failures:
            self._make_room(1)
        return member.pool

    async def lease(self, profile: P, session_id: str | None = None, timeout: float | None = None) -> Lease[T]:
        """`async with await group.lease(profile, session_id) as lease`; see `WarmableResourcePool.lease`."""
        return (await self.pool(profile)).lease(session_id, timeout)

    def snapshot(self) -> dict[P, PoolSnapshot]:
        """One snapshot a profile."""
        return {profile: member.pool.snapshot() for profile, member in self._members.items()}

    async def shutdown(self, timeout: float = 5.0) -> None:
        """Turn callers away and shut every pool down, side by side; see `WarmableResourcePool.shutdown`."""
        self._closed = True
        for member in self._members.values():
            self._end(member, timeout)
        await asyncio.shield(asyncio.gather(*self._ending))

    aclose = shutdown

    async def __aenter__(self) -> PoolGroup[P, T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shutdown()

    # --- profiles come and go --------------------------------------------------------------------------------------

    def _make(self, profile: P) -> _Member[T]:
        knobs = {"name": f"{self._name}-{next(self._numbers)}"} | dict(self._knobs(profile))
        if "floor_policy" in knobs or "creates_per_minute" in knobs:
            raise ConfigError(f"[{self._name}] floor_policy and creates_per_minute belong to the group")
        member = _Member[T]()

        def floor(_snapshot: PoolSnapshot) -> int:
            if member.silent_sec >= self._forget_after_sec:
                return 0
            if member.allowed < member.floor and self._capacity.has_room_for_refill():
                member.allowed += 1
            return member.allowed

        member.pool = WarmableResourcePool(**knobs, floor_policy=floor, _budget=self._budget, _capacity=self._capacity)
        member.floor = member.state.floor
        return member

    def _forget_empty_pools(self) -> None:
        for profile in [profile for profile, member in self._members.items() if self._is_over(member)]:
            self._end(self._members.pop(profile), 0.0)

    def _end(self, member: _Member[T], timeout: float) -> None:
        ending = asyncio.get_running_loop().create_task(member.pool.shutdown(timeout))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def _is_shut_down(self) -> PoolClosed:
        states = [member.state for member in self._members.values()]
        counts = {"spare": sum(s.spares for s in states), "leased": sum(s.leased for s in states)}
        return PoolClosed("the group is shut down", pool=self._name, **counts)

    def _is_over(self, member: _Member[T]) -> bool:
        """Forgotten, empty, and nobody waits: a floor of 0 alone says none of it."""
        state = member.state
        return member.silent_sec >= self._forget_after_sec and not (state.floor or state.live or state.queue)

    # --- one maximum -----------------------------------------------------------------------------------------------

    def _make_room(self, places: int) -> None:
        """The least recently used profiles give up their longest-idle spares, until so many places are, or will be,
        free."""
        closing = sum(member.state.count(EntryState.CLOSING) for member in self._members.values())
        places -= self._capacity.max_size - self._capacity.live + closing
        for member in list(self._members.values()):
            while places > 0 and not member.state.queue and (entry := member.longest_idle()) is not None:
                places -= 1
                member.part_with(entry)

    def _room_is_short(self) -> None:
        """Not at once: a pool is in the middle of a transition."""
        if not self._clearing:
            self._clearing = True
            asyncio.get_running_loop().call_soon(self._make_room_for_callers)

    def _make_room_for_callers(self) -> None:
        self._clearing = False
        members = self._members.values()
        self._make_room(sum(decide.places_wanted(member.state, member.pool._engine.now()) for member in members))

    def _room_is_free(self) -> None:
        """Not at once either."""
        if not self._offering:
            self._offering = True
            asyncio.get_running_loop().call_soon(self._offer_room)

    def _offer_room(self) -> None:
        """Callers first, in the order in which they came to any pool; floors after them."""
        self._offering = False
        for member in sorted(self._members.values(), key=_Member.asked_at):
            if member.state.open:
                decide.pump(member.state, member.pool._engine.now())
                member.pool._engine.perform()
