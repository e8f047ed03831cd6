"""What every test of the pool starts from."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from warmline import WarmableResourcePool
from warmline.testing import ScriptedProvider, check_invariants

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@asynccontextmanager
async def _open_pool(provider: ScriptedProvider, *hooks: str, **knobs: Any) -> AsyncIterator[WarmableResourcePool[Any]]:
    pool: WarmableResourcePool[Any] = WarmableResourcePool(**provider.hooks("close", *hooks), **knobs)
    async with pool:
        check_invariants(pool)
        yield pool
        check_invariants(pool)
    check_invariants(pool)
    assert pool.snapshot()["counts"]["live"] == 0
    assert not provider.open
    assert not provider.closed_twice


@pytest.fixture
def open_pool() -> Callable[..., Any]:
    """A prepared pool, checked at both ends: after it nothing may be open, and nothing closed twice."""
    return _open_pool


@pytest.fixture
def provider() -> ScriptedProvider:
    """Everything OK, half a second for a creation."""
    return ScriptedProvider(latency_sec=0.5)
