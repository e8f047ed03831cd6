"""What is measured of each pool: lending to one, to a crowd, to a burst on an empty pool, and a sweep over many."""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

from pool_rivals import POOLS, asyncpg_pool, psycopg_pool
from warmline import WarmableResourcePool
from warmline.pool import upkeep

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pool_rivals import Pair

CREATE_SEC = 0.05


async def uncontended(pair: Pair, turns: int) -> dict[str, float]:
    get, put = pair
    began = time.process_time()
    for _ in range(turns):
        await put(await get())
    return {"us": (time.process_time() - began) / turns * 1e6}


async def contended(pair: Pair, turns: int, tasks: int = 100) -> dict[str, float]:
    """100 tasks on 10 resources; fairness is Jain's index of what each task had when half of the work was done."""
    get, put = pair
    served = [0] * tasks
    done = 0
    at_half: list[int] = []

    async def worker(number: int) -> None:
        nonlocal done, at_half
        for _ in range(turns // tasks):
            resource = await get()
            await asyncio.sleep(0)
            await put(resource)
            served[number] += 1
            done += 1
            if done == turns // 2:
                at_half = list(served)

    began = time.process_time()
    await asyncio.gather(*(worker(number) for number in range(tasks)))
    cpu = time.process_time() - began
    return {"us": cpu / turns * 1e6, "jain": sum(at_half) ** 2 / (tasks * sum(n * n for n in at_half))}


async def burst(kind: str) -> float:
    """Ten callers at once on an empty pool: when the last is served, in creations."""
    if kind == "Warmline":

        async def factory() -> Any:
            await asyncio.sleep(CREATE_SEC)
            return object()

        pool: WarmableResourcePool[Any] = WarmableResourcePool(factory, warm_pool_size=0)
        await pool.prepare()
        get: Any = pool.acquire
    elif kind == "psycopg":
        get, _ = await psycopg_pool(CREATE_SEC, min_size=0)
    elif kind == "asyncpg":
        get, _ = await asyncpg_pool(CREATE_SEC)
    else:
        from livekit.agents.utils import ConnectionPool

        async def connect(_timeout: float) -> Any:
            await asyncio.sleep(CREATE_SEC)
            return type("Connection", (), {})()

        live: Any = ConnectionPool(connect_cb=connect)
        get = lambda: live.get(timeout=60)  # noqa: E731
    began = time.perf_counter()
    await asyncio.gather(*(get() for _ in range(10)))
    return (time.perf_counter() - began) / CREATE_SEC


async def sweep_of_many(sessions: int = 10_000) -> dict[str, float]:
    """One sweep over leased sessions, and what each costs in memory (its resource, an `object`, included)."""
    pool: WarmableResourcePool[Any] = WarmableResourcePool(object, warm_pool_size=0, max_concurrent_creates=64)
    await pool.prepare()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for first in range(0, sessions, 500):
        await asyncio.gather(*(pool.acquire_for_session(f"session-{n}") for n in range(first, first + 500)))
    gc.collect()
    each = (tracemalloc.get_traced_memory()[0] - before) / sessions
    tracemalloc.stop()
    times = []
    for _ in range(21):
        began = time.process_time()
        upkeep.sweep(pool._state, pool._engine.now())
        times.append((time.process_time() - began) * 1e3)
    await pool.shutdown(0)
    return {"sweep_ms": statistics.median(times), "bytes_a_session": each}


async def rounds(
    measure: Callable[..., Awaitable[dict[str, float]]], names: list[str], count: int, turns: int
) -> dict[str, dict[str, float]]:
    pairs: dict[str, Pair] = {}
    seen: dict[str, list[dict[str, float]]] = {}
    for name in names:
        try:
            pairs[name] = await POOLS[name]()
            await measure(pairs[name], 200)
            seen[name] = []
        except Exception as error:
            print(f"  {name}: not measured ({type(error).__name__}: {error})", file=sys.stderr)
    for _ in range(count):
        for name in seen:
            gc.collect()
            gc.disable()
            seen[name].append(await measure(pairs[name], turns))
            gc.enable()
    base = [entry["us"] for entry in seen["asyncio.LifoQueue"]]
    return {
        name: {key: statistics.median(entry[key] for entry in entries) for key in entries[0]}
        | {"ratio": statistics.median(e["us"] / b for e, b in zip(entries, base, strict=True))}
        for name, entries in seen.items()
    }
