"""The connections of one origin on one event loop: a pool of them, and what it is told to do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from typing import TYPE_CHECKING, Any

from warmline.connections.http.leftovers import Leftovers
from warmline.connections.http.loan import Loan, OwnLoan, PoolLoan
from warmline.connections.http.prover import KeptConnection, Prover
from warmline.errors import CreateFailed, PoolError
from warmline.pool import WarmableResourcePool

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Awaitable, Callable

    from warmline.connections.http.names import ResolvedNames
    from warmline.connections.http.settings import WarmSettings
    from warmline.connections.spent import Spent
    from warmline.pool import PoolSnapshot

__all__ = ["WarmOrigin"]

logger: logging.Logger = logging.getLogger("warmline.connections")

REMEMBERED_REQUESTS = 256
GRACE_SEC = 0.5  # for so long a request that has no connection waits for a warm-up that is in its way


class WarmOrigin:
    """K connections open and proven, each an entry of a `WarmableResourcePool`. Belongs to one event loop.

    One whose warm-up is not answered stands all the same, unproven: the next request may be. And when the pool has
    given up on connecting for a while, a request connects by itself.

    Attributes:
        prover: proves them, and knows what that costs. spent, round_trips_ms: its own.
    """

    def __init__(
        self,
        host: str,
        port: int,
        opener: Callable[[], Awaitable[Any]],
        names: ResolvedNames,
        settings: WarmSettings,
        max_connections: int | None = None,
    ) -> None:
        self.name: str = host
        self._address = (host, port)
        self._names = names
        self._max_connections = max_connections
        self._opener = opener
        self._connections: set[Any] = set()
        self._promised: int = 0
        self._preparing: asyncio.Task[None] | None = None
        self._open_for_requests = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._settings = settings
        self._news: asyncio.Event = asyncio.Event()
        self.prover: Prover = Prover(host, settings, self._prove_again, self._news.set)
        self.spent: Spent = self.prover.spent
        self.round_trips_ms: deque[float] = self.prover.round_trips_ms
        self._making: set[Any] = set()  # new, and being proven
        self._leftovers = Leftovers(lambda connection: self.own(self._close(connection), "close"))
        longest_sec = max(settings.open_timeout_sec, settings.touch_timeout_sec, settings.prime_timeout_sec)
        self._floor = floor = settings.floor if max_connections is None else min(settings.floor, max_connections)
        self.pool: WarmableResourcePool[Any] = WarmableResourcePool(
            self._open,
            name=host,
            warm_pool_size=floor,
            max_size=max_connections,
            keepalive_fn=self._touch,
            validate_fn=self._touch,
            close_fn=self._close,
            prefer_fn=_verified_upload,
            create_timeout_sec=longest_sec + 2 * settings.open_timeout_sec,  # what they do has limits of its own
            hook_timeout_sec=longest_sec + 1.0,
            max_idle_sec=settings.max_idle_sec,
            keepalive_interval_sec=settings.touch_interval_sec,
        )

    # --- life ------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open the pool and fill its floor, in the background."""
        if self._preparing is None:
            loop = asyncio.get_running_loop()
            self._preparing = loop.create_task(self._prepare(), name=f"{self.name}-prepare")

    async def entered(self) -> None:
        """The pool is open; its floor may still be filling."""
        self.begin()
        if not self._open_for_requests:
            await asyncio.sleep(0)

    async def _prepare(self) -> None:
        self._open_for_requests = True  # by the time that anyone else runs: the first step of prepare() opens it
        await self.pool.prepare()

    async def aclose(self) -> None:
        """Close every connection, also those in use."""
        self.prover.close()
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pool.shutdown(0.0)
        await asyncio.gather(*map(self._close, list(self._connections)), return_exceptions=True)
        await self._names.aclose()

    def own(self, work: Any, name: str) -> None:
        """Run `work` to its end, or to the origin's."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self.name}-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what callers want -----------------------------------------------------------------------------------------

    async def wait_warm(self, n: int | None = None, timeout: float = 10.0) -> bool:
        """True once `n` proven connections stand (default: the floor)."""
        await self.entered()
        wanted = self._floor if n is None else n
        try:
            async with asyncio.timeout(timeout):
                while not (await self.pool.wait_warm(wanted, math.inf) and self._proven_spares >= wanted):
                    self._news.clear()
                    if self.prover.may_try:
                        self._prove_again()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def lease(self, limit_sec: float) -> Loan:
        """A connection for one request. A warm-up that is in the way is called off after a moment.

        Raises:
            PoolTimeout, PoolClosed: the pool's.
            TimeoutError, or what the library raises: the pool has given up for now, and so has our own attempt.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        lease = self.pool.lease(timeout=limit_sec)
        hurry = loop.call_later(GRACE_SEC, self.prover.call_off_one)
        try:
            await lease.__aenter__()
        except CreateFailed:
            return await self._connect_for_one(began, limit_sec)
        except BaseException:
            loop.call_soon(self._prove_again)  # what was opened for this caller stays, unproven
            raise
        finally:
            hurry.cancel()
        return PoolLoan(lease, self._news.set)

    def reprove(self, older_than_sec: float) -> None:
        """Touch now what was proven longer ago."""
        self.pool.reverify(older_than_sec)

    def distrust_spares(self, proven_before_sec: float) -> None:
        """A route fell silent: what went over it, and was not proven since, is closed and opened anew."""
        for connection in [each for each in self._connections if not each.leased and each.exchanges]:
            if connection.proven_at_sec < proven_before_sec:
                self.pool.invalidate(connection)

    @property
    def healthy(self) -> bool:
        """Connections stand, be they all in use, and nothing speaks against the next request."""
        snapshot = self.pool.snapshot()
        troubled = snapshot["breaker_open"] or self.prover.failing or self.prover.refused_status
        standing = snapshot["counts"]["spare"] + snapshot["counts"]["leased"]
        return bool(standing) and not troubled

    @property
    def full(self) -> bool:
        """No more connections are allowed."""
        return self._max_connections is not None and len(self._connections) >= self._max_connections

    def snapshot(self) -> PoolSnapshot:
        """The pool's."""
        return self.pool.snapshot()

    # --- the pool's hooks ------------------------------------------------------------------------------------------

    async def _open(self) -> Any:
        """Connect, and prove it, unless somebody waits: then that request is the proof, and a round trip is saved."""
        connection = self._leftovers.take() or await self._connect()
        if connection.exchanges or self._is_awaited() or not self.prover.may_try:
            return connection
        self._making.add(connection)
        try:
            if await self.prover.prove(connection):
                return connection
        except BaseException:
            self._connections.discard(connection)
            await connection.aclose()
            raise
        finally:
            self._making.discard(connection)
        await self._close(connection)
        return await self._connect()

    async def _connect(self) -> Any:
        try:
            async with asyncio.timeout(self._settings.open_timeout_sec):
                connection = await self._opener()
        except Exception as error:
            self.prover.tell_trouble(error)
            raise
        self._connections.add(connection)
        return connection

    def _is_awaited(self) -> bool:
        if self.pool.snapshot()["counts"]["waiting"] <= self._promised:
            return False
        self._promised += 1
        asyncio.get_running_loop().call_soon(self._promise_kept)  # together with the hand-over
        return True

    def _promise_kept(self) -> None:
        self._promised -= 1

    async def _touch(self, connection: Any) -> bool:
        self._names.refresh_ahead(*self._address)
        self._leftovers.clear()
        if connection.alive.done():
            return False
        if connection.exchanges and not self.prover.failing:
            await self.prover.touch(connection)
            return True
        if connection.exchanges and self._unproven:  # why risk this one
            return True
        return await self.prover.prove(connection) if self.prover.may_try else True

    def _prove_again(self) -> None:
        if self._unproven or self.prover.failing:
            with contextlib.suppress(PoolError):
                self.pool.reverify()

    @property
    def _unproven(self) -> int:
        """Idle connections on which nothing was ever answered."""
        if self.prover.warm_up is None:
            return 0
        idle = (each for each in self._connections - self._making if not (each.leased or each.alive.done()))
        return sum(not each.exchanges for each in idle)

    @property
    def _proven_spares(self) -> int:
        return self.pool.snapshot()["counts"]["spare"] - self._unproven

    # --- connections that requests open themselves -----------------------------------------------------------------

    async def _connect_for_one(self, began_at: float, limit_sec: float) -> Loan:
        """The pool waits before it tries again; a plain client would not."""
        loop = asyncio.get_running_loop()
        connection = self._leftovers.take()
        if connection is None:
            left_sec = max(0.0, began_at + limit_sec - loop.time())
            async with asyncio.timeout(None if left_sec == math.inf else left_sec):
                connection = await self._opener()
            self._connections.add(connection)
        return OwnLoan(connection, (loop.time() - began_at) * 1e3, self._leftovers.leave)

    # --- ends ------------------------------------------------------------------------------------------------------

    async def _close(self, connection: KeptConnection) -> None:
        self._connections.discard(connection)
        await connection.aclose()


def _verified_upload(connection: KeptConnection) -> float:
    return connection.verified_upload_bytes
