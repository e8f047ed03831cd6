"""The pools that are measured, each as a pair of get and put over resources that cost nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from warmline import WarmableResourcePool

Pair = tuple[Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[Any]]]

SIZE = 10
CLOSERS: list[Callable[[], Awaitable[None]]] = []


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

    pool = BlockingConnectionPool(max_connections=SIZE, timeout=60, connection_class=Connection)

    async def ensured(_connection: Any) -> None: ...

    pool.ensure_connection = ensured
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
