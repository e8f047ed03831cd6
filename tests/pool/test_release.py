"""What goes back, what is closed, and which releases are refused."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from warmline import AllocationTier
from warmline.errors import ForeignResource
from warmline.testing import Outcome, ScriptedProvider, check_invariants, run_virtual

pytestmark = pytest.mark.core


def test_double_late_and_foreign_releases(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            kept, closed = await pool.acquire(), await pool.acquire()
            assert await pool.release(kept)
            assert not await pool.release(kept)
            assert await pool.release(closed, broken=True)
            assert not await pool.release(closed)
            assert not await pool.release_for_session("never seen")
            assert not await pool.release_for_session(None)
            assert not await pool.release_for_session("never seen", kept)
            for foreign in ("a string", object(), None):
                with pytest.raises(ForeignResource):
                    await pool.release(foreign)
            with pytest.raises(ForeignResource):
                await pool.release_for_session("a", "a string")
            counters = pool.snapshot()["counters"]
            assert (counters["late_releases"], counters["foreign_releases"]) == (4, 4)
            check_invariants(pool)
            assert pool.snapshot()["warm_pool_size"] == 1  # kept, once

    run_virtual(main())


def test_both_release_paths_are_one(open_pool: Any, provider: ScriptedProvider) -> None:
    """release() of a session's resource, release_for_session() of an anonymous one, with and without the resource."""

    async def main() -> None:
        async with open_pool(provider, "reset", warm_pool_size=0) as pool:
            resource, _ = await pool.acquire_for_session("a")
            assert await pool.release(resource)
            await asyncio.sleep(1)
            again, tier = await pool.acquire_for_session("a")
            assert (again, tier) == (resource, AllocationTier.WARM)
            assert await pool.release_for_session("a", resource)
            await asyncio.sleep(1)
            temporary = await pool.acquire()
            assert await pool.release_for_session(None, temporary)
            await asyncio.sleep(1)
            anonymous = await pool.acquire()
            assert await pool.release_for_session("a", anonymous)
            await asyncio.sleep(1)
            assert provider.count("reset") == 4
            assert provider.count("factory") == 1

    run_virtual(main())


def test_anothers_session_cannot_be_released_with_its_resource(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider) as pool:
            resource, _ = await pool.acquire_for_session("b")
            assert not await pool.release_for_session("a", resource)
            assert (await pool.acquire_for_session("b")) == (resource, AllocationTier.DEDICATED)

    run_virtual(main())


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.FALSE, Outcome.NEVER, Outcome.ESCAPE, Outcome.DEAF])
def test_a_reset_that_fails_closes(open_pool: Any, provider: ScriptedProvider, outcome: Outcome) -> None:
    async def main() -> None:
        async with open_pool(provider, "reset", hook_timeout_sec=2.0, warm_pool_size=0) as pool:
            provider.script("reset", [outcome])
            resource = await pool.acquire()
            await pool.release(resource)
            await asyncio.sleep(10)
            assert resource.closes == 1
            assert pool.snapshot()["closed"]["reset_failed"] == 1
            assert pool.snapshot()["counters"]["recycled"] == 0

    run_virtual(main())


class Clearable:
    """Has clear_session_state(), as the seeds' clients have."""

    def __init__(self, outcome: Any = None) -> None:
        self.outcome = outcome
        self.cleared = 0
        self.closed = 0

    def clear_session_state(self) -> Any:
        self.cleared += 1
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    async def aclose(self) -> None:
        self.closed += 1


class SlowlyClearable(Clearable):
    async def clear_session_state(self) -> Any:  # type: ignore[override]  # an async one is a hook
        await asyncio.sleep(0.1)
        return super().clear_session_state()


@pytest.mark.parametrize("kind", [Clearable, SlowlyClearable])
@pytest.mark.parametrize(("outcome", "recycled"), [(None, True), (True, True), (False, False), (OSError(), False)])
def test_clear_session_state_is_the_reset(kind: type[Clearable], outcome: Any, recycled: bool) -> None:
    from warmline import OnDemandResourcePool

    async def main() -> None:
        made: list[Clearable] = []

        async def factory() -> Clearable:
            made.append(kind(outcome))
            return made[-1]

        async with OnDemandResourcePool(factory, "tts") as pool:
            await pool.acquire_for_session("a")
            assert await pool.release_for_session("a")
            await asyncio.sleep(1)
            assert made[0].cleared == 1
            assert made[0].closed == (not recycled)
            assert pool.snapshot()["warm_pool_size"] == recycled

    run_virtual(main())


def test_recycle_false_closes_after_one_use(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, recycle=False, warm_pool_size=1) as pool:
            async with pool.lease("a") as lease:
                resource = lease.resource
            await asyncio.sleep(1)
            assert resource.closes == 1
            assert pool.snapshot()["closed"]["not_recycled"] == 1
            assert pool.snapshot()["warm_pool_size"] == 1

    run_virtual(main())


@pytest.mark.parametrize("with_reset", [True, False])
def test_how_a_lease_ends_decides(open_pool: Any, provider: ScriptedProvider, with_reset: bool) -> None:
    """Exception: closed. Cancellation: reset and recycled, or closed without a reset. discard(): closed."""

    async def use(pool: Any, how: str) -> None:
        async with pool.lease(how) as lease:
            if how == "raise":
                raise ValueError
            if how == "cancel":
                asyncio.current_task().cancel()  # type: ignore[union-attr]
                await asyncio.sleep(0)
            if how == "discard":
                lease.discard()

    async def main() -> None:
        async with open_pool(provider, *(["reset"] if with_reset else []), warm_pool_size=0) as pool:
            outcomes = {}
            for how in ("fine", "raise", "cancel", "discard"):
                before = len(provider.open)
                task = asyncio.create_task(use(pool, how))
                with contextlib.suppress(ValueError, asyncio.CancelledError):
                    await task
                await asyncio.sleep(1)
                outcomes[how] = len(provider.open) > before or (before and len(provider.open) == before)
            assert outcomes == {"fine": True, "raise": False, "cancel": with_reset, "discard": False}

    run_virtual(main())


def test_leases_of_a_session_nest(open_pool: Any, provider: ScriptedProvider) -> None:
    """The resource goes back with the last holder; an exception in any closes it then."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=0) as pool:
            async with pool.lease("a") as outer:
                with contextlib.suppress(ValueError):
                    async with pool.lease("a") as inner:
                        assert inner.resource is outer.resource
                        raise ValueError
                assert outer.resource.closes == 0
                assert pool.snapshot()["active_sessions"] == 1
            await asyncio.sleep(1)
            assert provider.made[0].closes == 1
            await pool.acquire_for_session("b")
            async with pool.lease("b"):
                pass
            assert pool.snapshot()["active_sessions"] == 1  # the plain acquire still holds
            async with pool.lease("b"):
                assert await pool.release_for_session("b")  # ends all of them
            assert pool.snapshot()["active_sessions"] == 0
            check_invariants(pool)

    run_virtual(main())


def test_a_resource_says_that_it_died(open_pool: Any, provider: ScriptedProvider) -> None:
    """By `alive`, polled at hand-out, return and sweep; by invalidate(), at once."""

    async def main() -> None:
        async with open_pool(provider, warm_pool_size=2, warmup_interval_sec=20.0) as pool:
            provider.made[0].alive = False
            async with pool.lease("a") as lease:
                assert lease.resource is provider.made[1]
                lease.resource.alive = False
            await asyncio.sleep(1)
            provider.made[2].alive = False
            await asyncio.sleep(25)
            assert [resource.closes for resource in provider.made[:3]] == [1, 1, 1]
            assert pool.snapshot()["closed"]["died"] == 3
            assert pool.snapshot()["warm_pool_size"] == 2

    run_virtual(main())


def test_a_session_whose_resource_died_gets_another(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, warm_pool_size=1) as pool, pool.lease("a") as lease:
            await asyncio.sleep(1)
            lease.invalidate()
            assert lease.resource.closes == 0  # never under its holder
            async with pool.lease("a") as second:
                assert second.resource is not lease.resource
                assert second.tier is AllocationTier.WARM
                check_invariants(pool)

    run_virtual(main())


def test_alive_may_be_a_future_or_a_method() -> None:
    from warmline import WarmableResourcePool

    class Socket:
        def __init__(self) -> None:
            self.alive: Any = asyncio.get_running_loop().create_future()

    class Polled:
        lives = True

        def alive(self) -> bool:
            if self.lives is None:
                raise OSError
            return self.lives

    async def main(kind: type[Any]) -> None:
        made: list[Any] = []

        async def factory() -> Any:
            made.append(kind())
            return made[-1]

        async with WarmableResourcePool(factory, warmup_interval_sec=5.0) as pool:
            if kind is Socket:
                made[0].alive.set_result(None)
                await asyncio.sleep(0.01)  # at once, not at the sweep
            else:
                made[0].lives = None
                await asyncio.sleep(6)
            assert pool.snapshot()["closed"]["died"] == 1
            assert len(made) == 2

    run_virtual(main(Socket))
    run_virtual(main(Polled))


def test_without_session_awareness_every_acquire_is_its_own(open_pool: Any, provider: ScriptedProvider) -> None:
    """An id-only release still finds what the id holds."""

    async def main() -> None:
        async with open_pool(provider, session_awareness=False, warm_pool_size=0, session_max_age_sec=40.0) as pool:
            first, _ = await pool.acquire_for_session("a")
            second, tier = await pool.acquire_for_session("a")
            assert first is not second
            assert tier is AllocationTier.COLD
            assert pool.snapshot()["active_sessions"] == 2
            pool.prefetch("a")  # means nothing here
            pool.touch("a")
            assert await pool.release_for_session("a")
            assert not await pool.release_for_session("a")
            assert pool.snapshot()["counts"]["leased"] == 0

    run_virtual(main())


@pytest.mark.parametrize("when", ["warm", "keepalive", "reset", "close"])
def test_it_dies_while_a_hook_runs(open_pool: Any, provider: ScriptedProvider, when: str) -> None:
    """Warmed: the creation has failed. Checked or reset: closed when the hook ends. Closing: it is going anyway."""

    async def main() -> None:
        hooks = ("warm", "keepalive", "reset")
        async with open_pool(provider, *hooks, warm_pool_size=0, keepalive_interval_sec=30.0, max_size=3) as pool:
            provider.script(when, [Outcome.SLOW])
            caller = asyncio.create_task(pool.acquire())
            await asyncio.sleep(1.0)
            if when != "warm":
                await pool.release(await caller, broken=when == "close")
            await asyncio.sleep({"keepalive": 29.5}.get(when, 0.5))
            dying = provider.made[0]
            assert pool.invalidate(dying) is (when != "close")
            check_invariants(pool)
            if when == "warm":
                assert await caller is not dying
            await asyncio.sleep(10)
            assert dying.closes == 1
            cause = {"warm": "warm_failed", "close": "broken"}.get(when, "died")
            assert pool.snapshot()["closed"][cause] == 1

    run_virtual(main())


def test_a_surplus_that_shows_only_after_the_reset(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, "reset", warm_pool_size=0, max_spares=1) as pool:
            provider.default["reset"] = Outcome.SLOW
            held = [await pool.acquire(), await pool.acquire()]
            for resource in held:
                assert await pool.release(resource)
            await asyncio.sleep(5)
            assert pool.snapshot()["closed"]["surplus"] == 1
            assert pool.snapshot()["warm_pool_size"] == 1

    run_virtual(main())
