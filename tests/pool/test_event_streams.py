"""Streams of events: who reads them, and when they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from warmline.testing import ScriptedProvider, run_virtual

pytestmark = pytest.mark.core


def test_several_readers_share_a_stream_and_all_end(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        seen: list[Any] = []

        async def read(stream: Any) -> None:
            async for event in stream:
                seen.extend([event])

        async with open_pool(provider, warm_pool_size=0) as pool:
            stream = pool.observe()
            readers = [asyncio.create_task(read(stream)) for _ in range(3)]
            await asyncio.sleep(1)
            readers.pop().cancel()
            for _ in range(2):
                await pool.release(await pool.acquire())
            await asyncio.sleep(1)
        await asyncio.gather(*readers)
        names = [type(event).__name__ for event in seen]
        assert names.count("ResourceAcquired") == names.count("ResourceReleased") == 2

    run_virtual(main())


def test_a_stream_of_a_pool_that_is_shut_down_ends_at_once(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider) as pool:
            pass
        assert [event async for event in pool.observe()] == []
        assert pool._state.emit is None

    run_virtual(main())
