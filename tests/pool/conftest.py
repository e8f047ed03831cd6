"""What every test of the pool starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from warmline import WarmableResourcePool
from warmline.testing import ScriptedProvider, ScriptedResource, check_invariants, run_virtual

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

Pool = WarmableResourcePool[ScriptedResource]


@asynccontextmanager
async def open_pool(provider: ScriptedProvider, *hooks: str, **knobs: Any) -> AsyncIterator[Pool]:
    """A prepared pool that is checked at both ends; after it nothing may be open and nothing closed twice."""
    pool: Pool = WarmableResourcePool(**provider.hooks("close", *hooks), **knobs)
    async with pool:
        check_invariants(pool)
        yield pool
        check_invariants(pool)
    check_invariants(pool)
    assert pool.snapshot()["counts"]["live"] == 0
    assert not provider.open
    assert not provider.closed_twice


@pytest.fixture
def provider() -> ScriptedProvider:
    """Everything OK, half a second for a creation."""
    return ScriptedProvider(latency_sec=0.5)


@pytest.fixture
def virtual() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a test's coroutine on virtual time."""
    return run_virtual
