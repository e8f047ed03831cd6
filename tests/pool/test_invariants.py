"""Every named check fails on a fault planted for it, and on nothing in a healthy pool."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from warmline import WarmableResourcePool
from warmline.pool import CHECKS, CloseCause, InvariantBroken
from warmline.pool.entry import Entry, EntryState
from warmline.pool.phase import Phase
from warmline.pool.sessions import Session
from warmline.testing import ScriptedProvider, check_invariants, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.pool.state import PoolState

pytestmark = pytest.mark.core


def mislabel(state: PoolState) -> None:
    next(e for e in state.entries if e.session is not None).state = EntryState.SPARE


def forget_a_lease(state: PoolState) -> None:
    del state.entries[next(e for e in state.entries if e.session is not None)]


def shelve_a_leased_one(state: PoolState) -> None:
    state.shelf.append(next(e for e in state.entries if e.session is not None))
    del state.entries[state.shelf[0]]


def lend_one_to_two(state: PoolState) -> None:
    first, second = [e for e in state.entries if e.session is not None][:2]
    second.session = first.session


def lose_a_resource(state: PoolState) -> None:
    state.by_resource.popitem()


def keep_a_dead_session(state: PoolState) -> None:
    state.sessions["gone"] = Session("gone", 1, 0.0)


def lend_to_a_stranger(state: PoolState) -> None:
    entry = next(e for e in state.entries if e.session is not None)
    assert entry.session is not None
    entry.session.entry = Entry(epoch=0, background=False, began_at=0, began_seq=0, stagger=0)


def double_a_session_id(state: PoolState) -> None:
    for entry in state.entries:
        if entry.session is not None:
            entry.session.id = "twice"
    state.sessions.clear()


def outgrow(state: PoolState) -> None:
    state.max_size = state.ceiling = state.live - 1


def outgrow_the_group(state: PoolState) -> None:
    from warmline.pool.capacity import Capacity

    state.capacity = Capacity(1)
    state.capacity.live = 2


def create_a_crowd(state: PoolState) -> None:
    for _ in range(state.knobs.max_concurrent_creates + 1):
        state.begin_creation(0.0, background=False)


def overdraw(state: PoolState) -> None:
    for at in (100.0, 130.0, 159.9):
        state.budget.spend(at)


def call_it_warm(state: PoolState) -> None:
    for entry in state.entries:
        entry.ready_seq = 10**6


def forget_a_deadline(state: PoolState) -> None:
    for session in state.queue:
        for waiter in session.waiters:
            waiter.deadline = -1.0


def miscount(state: PoolState) -> None:
    state.waiting += 1


def close_twice(state: PoolState) -> None:
    next(e for e in state.entries if e.session is not None).closes = 2


def close_in_secret(state: PoolState) -> None:
    state.counters.closed[CloseCause.IDLE] += 1


def shelve_beside_a_waiter(state: PoolState) -> None:
    entry = next(e for e in state.entries if e.session is not None)
    session = entry.session
    assert session is not None
    session.entry = entry.session = None
    session.ended = True
    state.sessions.pop(session.id or "", None)
    entry.state = EntryState.SPARE
    state.shelf.append(entry)


def turn_the_queue_round(state: PoolState) -> None:
    state.queue.move_to_end(next(iter(state.queue)))


def barge(state: PoolState) -> None:
    state.last_served_seq = 10**6


def call_it_closed(state: PoolState) -> None:
    state.phase = Phase.CLOSED


FAULTS: list[tuple[str, Callable[[PoolState], None]]] = [
    ("conservation", mislabel),
    ("closed_once", forget_a_lease),
    ("one_owner", shelve_a_leased_one),
    ("one_resource_a_session", lend_one_to_two),
    ("one_resource_a_session", lend_to_a_stranger),
    ("one_resource_a_session", lose_a_resource),
    ("one_resource_a_session", keep_a_dead_session),
    ("one_resource_a_session", double_a_session_id),
    ("live_within_max", outgrow),
    ("live_within_max", outgrow_the_group),
    ("creates_bounded", create_a_crowd),
    ("creates_within_budget", overdraw),
    ("tier_is_true", call_it_warm),
    ("deadlines_kept", forget_a_deadline),
    ("waiting_is_counted", miscount),
    ("closed_once", close_twice),
    ("closed_once", close_in_secret),
    ("no_spare_beside_a_waiter", shelve_beside_a_waiter),
    ("first_come_first_served", turn_the_queue_round),
    ("first_come_first_served", barge),
    ("closed_means_empty", call_it_closed),
]


async def busy_pool() -> tuple[WarmableResourcePool[Any], list[asyncio.Task[Any]]]:
    """Two leases, two callers that wait."""
    pool = WarmableResourcePool(**ScriptedProvider().hooks(), warm_pool_size=2, max_size=2, creates_per_minute=2)
    await pool.prepare()
    await pool.acquire_for_session("one")
    await pool.acquire_for_session("two")
    waiting = [asyncio.create_task(pool.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    check_invariants(pool)
    return pool, waiting


@pytest.mark.parametrize(("name", "plant"), FAULTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_planted_fault_is_found(name: str, plant: Callable[[PoolState], None]) -> None:
    async def main() -> None:
        pool, waiting = await busy_pool()
        plant(pool._state)
        assert CHECKS[name](pool._state) is not None
        with pytest.raises(InvariantBroken):
            check_invariants(pool)
        for task in waiting:
            task.cancel()
        pool._engine.loop = None  # what was broken on purpose cannot be shut down

    def swallow(_loop: Any, _context: Any) -> None:
        return None

    async def quietly() -> None:
        asyncio.get_running_loop().set_exception_handler(swallow)
        await main()

    run_virtual(quietly())


def test_every_check_has_a_fault() -> None:
    assert {name for name, _ in FAULTS} == set(CHECKS)


def test_a_task_left_after_shutdown_is_found() -> None:
    async def main() -> None:
        pool: WarmableResourcePool[Any] = WarmableResourcePool(**ScriptedProvider().hooks())
        await pool.prepare()
        await pool.shutdown()
        check_invariants(pool)
        job = pool._engine.work.runner.start(asyncio.sleep, (1,), lambda *_: None, lambda _: None)
        with pytest.raises(InvariantBroken, match="closed_means_idle"):
            check_invariants(pool)
        assert job.task is not None
        await job.task

    run_virtual(main())


def test_a_timer_that_was_lost_is_found() -> None:
    async def main() -> None:
        pool, waiting = await busy_pool()
        armed_at, pool._engine.armed_at = pool._engine.armed_at, float("inf")
        with pytest.raises(InvariantBroken, match="deadlines_kept"):
            check_invariants(pool)
        pool._engine.armed_at = armed_at
        for task in waiting:
            task.cancel()
        await pool.shutdown(0)

    run_virtual(main())


def test_a_deadline_that_a_look_has_passed_over_is_found() -> None:
    async def main() -> None:
        pool, waiting = await busy_pool()
        (first, *_), *_ = [session.waiters for session in pool._state.queue]
        pool._state.looked_at = first.deadline
        assert CHECKS["deadlines_kept"](pool._state) is not None
        for task in waiting:
            task.cancel()
        await pool.shutdown(0)

    run_virtual(main())


def test_a_deadline_that_has_just_passed_is_no_fault() -> None:
    """A loop that stands still, and real time that goes on between two steps: the timer has not run yet."""

    async def main() -> None:
        pool: WarmableResourcePool[Any] = WarmableResourcePool(**ScriptedProvider(latency_sec=90).hooks(), min_warm=0)
        await pool.prepare()
        waiting = asyncio.create_task(pool.acquire(timeout=1))
        await asyncio.sleep(0.5)
        asyncio.get_running_loop().advance(5.0)  # type: ignore[attr-defined]  # it is virtual
        check_invariants(pool)
        with pytest.raises(TimeoutError):
            await waiting
        check_invariants(pool)
        await pool.shutdown(0)

    run_virtual(main())
