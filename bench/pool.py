"""What lending costs: Warmline's pool beside six others, in one run, in CPU time.

    python -m venv .venv-bench && .venv-bench/bin/pip install -r bench/requirements-pool.txt -e .
    .venv-bench/bin/python bench/pool.py

Resources are plain objects, so only the pools themselves are measured. Rounds interleave the pools, and each round's
figure is divided by `asyncio.LifoQueue`'s of the same round: on a shared machine only ratios mean anything.
Writes `bench/results/pool.{json,md,svg}`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import platform
import statistics
import sys
import time
import tracemalloc
from collections import deque
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warmline import WarmableResourcePool
from warmline.pool import upkeep

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Pair = tuple[Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[Any]]]

RESULTS = Path(__file__).parent / "results"
SIZE = 10
CREATE_SEC = 0.05
CLOSERS: list[Callable[[], Awaitable[None]]] = []


# --- the pools, each as a pair of get and put ---


async def bare_deque() -> Pair:
    free = deque(object() for _ in range(SIZE))

    async def get() -> Any:
        return free.pop()

    async def put(resource: Any) -> None:
        free.append(resource)

    return get, put


async def lifo_queue() -> Pair:
    queue: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
    for _ in range(SIZE):
        queue.put_nowait(object())
    return queue.get, queue.put


async def warmline_pool(max_size: int | None = SIZE) -> Pair:
    """Spares above the floor, so that no refill is due."""
    pool: WarmableResourcePool[Any] = WarmableResourcePool(
        object, warm_pool_size=2, max_size=max_size, max_spares=SIZE, warmup_interval_sec=1e6
    )
    await pool.prepare()
    for resource in [await pool.acquire() for _ in range(SIZE)]:
        await pool.release(resource)
    await asyncio.sleep(0.1)
    return pool.acquire, pool.release


async def warmline_dedicated() -> Pair:
    pool: WarmableResourcePool[Any] = WarmableResourcePool(object, warm_pool_size=1, warmup_interval_sec=1e6)
    await pool.prepare()
    await pool.acquire_for_session("session")

    async def put(_resource: Any) -> None:
        return None

    return lambda: pool.acquire_for_session("session"), put


async def psycopg_pool(create_sec: float = 0.0, min_size: int = SIZE) -> Pair:
    import psycopg_pool as module
    from psycopg.pq import TransactionStatus

    class Connection:
        """Does nothing, and is always idle."""

        def __init__(self) -> None:
            self.info = type("Info", (), {"transaction_status": TransactionStatus.IDLE})
            self.pgconn = type("Pgconn", (), {"transaction_status": TransactionStatus.IDLE, "status": 0})
            self.closed = False
            self._pool: Any = None

        @classmethod
        async def connect(cls, *_: Any, **__: Any) -> Connection:
            await asyncio.sleep(create_sec)
            return cls()

        async def close(self) -> None:
            self.closed = True

    kind: Any = Connection
    pool = module.AsyncConnectionPool("", connection_class=kind, min_size=min_size, max_size=SIZE, open=False)
    await pool.open(wait=min_size > 0)
    CLOSERS.append(pool.close)
    return pool.getconn, pool.putconn


async def asyncpg_pool(create_sec: float = 0.0) -> Pair:
    """Its own holders, queue and release path, over a connection that does nothing."""
    import asyncpg

    class Connection(asyncpg.connection.Connection):  # type: ignore[misc]
        def __init__(self) -> None:  # no protocol, no socket: nothing of the base class is used
            quiet = {"_is_cancelling": staticmethod(lambda: False), "queries_count": 0}
            self._protocol = type("Protocol", (), quiet)()

        def is_closed(self) -> bool:
            return False

        def _set_proxy(self, proxy: Any) -> None: ...
        def _on_release(self, stacklevel: int = 1) -> None: ...
        def terminate(self) -> None: ...
        def __del__(self) -> None: ...

        async def reset(self, *, timeout: float | None = None) -> None: ...
        async def close(self, *, timeout: float | None = None) -> None: ...

    async def connect(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(create_sec)
        return Connection()

    pool = asyncpg.create_pool(
        "postgres://x/x",
        min_size=0,
        max_size=SIZE,
        max_inactive_connection_lifetime=0,
        connection_class=Connection,
        connect=connect,
    )
    await pool
    return pool.acquire, pool.release


async def redis_pool() -> Pair:
    from redis.asyncio import BlockingConnectionPool

    class Connection:
        def __init__(self, **_: Any) -> None:
            self.is_connected = True

        async def connect(self) -> None: ...
        async def disconnect(self, *_: Any, **__: Any) -> None: ...
        async def can_read_destructive(self) -> bool:
            return False

        async def re_auth(self) -> None: ...

        def should_reconnect(self) -> bool:
            return False

        def __getattr__(self, _name: str) -> Any:
            return lambda *_a, **_k: None

    pool = BlockingConnectionPool(max_connections=SIZE, timeout=60, connection_class=Connection)  # type: ignore[arg-type]

    async def ensured(_connection: Any) -> None: ...

    pool.ensure_connection = ensured  # type: ignore[method-assign]
    return pool.get_connection, pool.release


async def livekit_pool(create_sec: float = 0.0) -> Pair:
    from livekit.agents.utils import ConnectionPool

    async def connect(_timeout: float) -> Any:
        await asyncio.sleep(create_sec)
        return type("Connection", (), {})()

    async def close(_connection: Any) -> None: ...

    pool: Any = ConnectionPool(connect_cb=connect, close_cb=close)

    async def put(connection: Any) -> None:
        pool.put(connection)

    async def get() -> Any:
        got = await pool.get(timeout=60)
        return getattr(got, "conn", got) if not hasattr(got, "__aenter__") else got

    for connection in [await get() for _ in range(SIZE)]:
        await put(connection)
    return get, put


POOLS: dict[str, Callable[[], Awaitable[Pair]]] = {
    "deque": bare_deque,
    "asyncio.LifoQueue": lifo_queue,
    "Warmline WARM": warmline_pool,
    "Warmline DEDICATED": warmline_dedicated,
    "LiveKit": livekit_pool,
    "psycopg": psycopg_pool,
    "redis-py": redis_pool,
    "asyncpg": asyncpg_pool,
}


# --- what is measured ---


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


async def run(count: int, turns: int) -> dict[str, Any]:
    alone = await rounds(uncontended, list(POOLS), count, turns)
    shared_names = [name for name in POOLS if name not in ("deque", "Warmline DEDICATED", "LiveKit")]
    shared = await rounds(contended, shared_names, count, turns)
    bursts: dict[str, float] = {}
    for kind in ("Warmline", "asyncpg", "psycopg", "LiveKit"):
        try:
            bursts[kind] = statistics.median([await burst(kind) for _ in range(5)])
        except Exception as error:
            print(f"  burst {kind}: not measured ({type(error).__name__}: {error})", file=sys.stderr)
    sweep = await sweep_of_many()
    for close in CLOSERS:
        await close()
    return {"uncontended": alone, "contended": shared, "burst": bursts, "sweep": sweep}


# --- what is written ---


def table(results: dict[str, Any]) -> str:
    lines = [
        "# What lending costs",
        "",
        f"Python {platform.python_version()}, CPU time, medians; x is the ratio to",
        "",
    ]
    lines[-2] += " `asyncio.LifoQueue` in the same round. " + ", ".join(
        f"{k} {v}" for k, v in results["versions"].items()
    )
    for name, title in (
        ("uncontended", "One task, ten resources, acquire and release"),
        ("contended", "100 tasks, 10"),
    ):
        lines += [f"## {title}", "", "| pool | us | x | Jain |", "|---|---:|---:|---:|"]
        for pool, row in sorted(results[name].items(), key=lambda item: item[1]["us"]):
            jain = f"{row['jain']:.2f}" if "jain" in row else ""
            lines.append(f"| {pool} | {row['us']:.2f} | {row['ratio']:.2f} | {jain} |")
        lines.append("")
    lines += [
        "## Burst of ten on an empty pool: when the last is served, in creations",
        "",
        "| pool | x |",
        "|---|---:|",
    ]
    lines += [f"| {pool} | {value:.2f} |" for pool, value in sorted(results["burst"].items(), key=lambda item: item[1])]
    sweep = results["sweep"]
    lines += ["", "## 10,000 leased sessions", ""]
    lines.append(f"One sweep: {sweep['sweep_ms']:.2f} ms. Memory: {sweep['bytes_a_session']:.0f} bytes a session.")
    return "\n".join(lines) + "\n"


def plot(results: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "warmline"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), constrained_layout=True)
    for axis, name in zip(axes, ("uncontended", "contended", "burst"), strict=True):
        rows = results[name]
        values = {pool: row if isinstance(row, float) else row["ratio"] for pool, row in rows.items()}
        pools = sorted(values, key=values.__getitem__, reverse=True)
        colours = ["#c2410c" if pool.startswith("Warmline") else "#94a3b8" for pool in pools]
        axis.barh(pools, [values[pool] for pool in pools], color=colours)
        axis.set_title(name)
        axis.set_xlabel("creations" if name == "burst" else "x asyncio.LifoQueue")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--turns", type=int, default=5000)
    asked = parser.parse_args()
    results = asyncio.run(run(asked.rounds, asked.turns))
    names = ("warmline", "psycopg-pool", "asyncpg", "redis", "livekit-agents")
    results["versions"] = {name: version(name) for name in names}
    results["python"] = platform.python_version()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "pool.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / "pool.md").write_text(table(results))
    plot(results, RESULTS / "pool.svg")
    print(table(results))


if __name__ == "__main__":
    main()
