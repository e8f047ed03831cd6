"""What goes back, what is closed, and which releases are refused."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from warmline import AllocationTier
from warmline.errors import ForeignResource
from warmline.testing import ScriptedProvider, check_invariants, run_virtual

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
