"""The connections of one origin on one event loop: a pool of them, and what it is told to do."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from warmline.connections.http.warm_up import WarmUp, pinned_to
from warmline.connections.spent import Spent
from warmline.errors import WarmUpFailed
from warmline.pool import WarmableResourcePool, Warmth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from warmline.connections.http.names import ResolvedNames
    from warmline.connections.http.settings import WarmSettings
    from warmline.pool import PoolSnapshot

__all__ = ["KeptConnection", "WarmOrigin"]

logger: logging.Logger = logging.getLogger("warmline.connections")

REMEMBERED_REQUESTS = 256
REMEMBERED_ROUND_TRIPS = 8


class KeptConnection(Protocol):
    """What an origin needs to know of a connection, of whatever library."""

    alive: asyncio.Future[None]
    exchanges: int
    verified_upload_bytes: int
    last_status: int
    leased: bool
    round_trip_ms: float | None
    proven_at_sec: float

    @property
    def fell_silent(self) -> bool:
        """It died of silence."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


class WarmOrigin:
    """K connections open and proven, each an entry of a `WarmableResourcePool`. Belongs to one event loop.

    Attributes:
        spent: what its warmth has cost.
        round_trips_ms: of the last warm-up requests, from sent to answered, the server's own time included.
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
        self.spent: Spent = Spent()
        self.round_trips_ms: deque[float] = deque(maxlen=REMEMBERED_ROUND_TRIPS)
        self.refused_status: int = 0
        self._opener = opener
        self._warm_ups: dict[object, Callable[[], WarmUp | None]] = {}
        self._connections: set[Any] = set()
        self._promised: int = 0
        self._preparing: asyncio.Task[None] | None = None
        self._open_for_requests = False
        self._tasks: set[asyncio.Task[None]] = set()
        floor = settings.floor if max_connections is None else min(settings.floor, max_connections)
        self.pool: WarmableResourcePool[Any] = WarmableResourcePool(
            self._open,
            name=host,
            warm_pool_size=floor,
            max_size=max_connections,
            warm_fn=self._warm,
            keepalive_fn=self._touch,
            validate_fn=self._touch,
            close_fn=self._close,
            prefer_fn=_verified_upload,
            create_timeout_sec=settings.open_timeout_sec,
            hook_timeout_sec=settings.touch_timeout_sec,
            max_idle_sec=settings.max_idle_sec,
            keepalive_interval_sec=settings.touch_interval_sec,
        )

    # --- life ------------------------------------------------------------------------------------------------------

    def add_warm_up(self, owner: object, warm_up: Callable[[], WarmUp | None]) -> None:
        """The latest of those who hold this origin says how its connections are proven.

        `warm_up()` is None where nothing is sent, or its client is gone: a client that was dropped is not kept alive.
        """
        self._warm_ups[owner] = warm_up

    def drop_warm_up(self, owner: object) -> None:
        """`owner` has left."""
        self._warm_ups.pop(owner, None)

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
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pool.shutdown(0.0)
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
        return await self.pool.wait_warm(n, timeout)

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
        standing = snapshot["counts"]["spare"] + snapshot["counts"]["leased"]
        return bool(standing) and not snapshot["breaker_open"] and not self.refused_status

    @property
    def full(self) -> bool:
        """No more connections are allowed."""
        return self._max_connections is not None and len(self._connections) >= self._max_connections

    def snapshot(self) -> PoolSnapshot:
        """The pool's."""
        return self.pool.snapshot()

    # --- the pool's hooks ------------------------------------------------------------------------------------------

    async def _open(self) -> Any:
        connection = await self._opener()
        self._connections.add(connection)
        return connection

    async def _warm(self, connection: Any) -> Warmth:
        """Prove it, unless somebody waits for it: then that request is the proof, and a round trip is saved."""
        if self.pool.snapshot()["counts"]["waiting"] > self._promised:
            self._promised += 1
            asyncio.get_running_loop().call_soon(self._promise_kept)  # together with the hand-over
            return Warmth.CONNECTED
        await self._send(connection, touch=False)
        return Warmth.EXERCISED

    def _promise_kept(self) -> None:
        self._promised -= 1

    async def _touch(self, connection: Any) -> bool:
        self._names.refresh_ahead(*self._address)
        if connection.alive.done():
            return False
        await self._send(connection, touch=True)
        return True

    async def _send(self, connection: KeptConnection, *, touch: bool) -> None:
        warm_up = self._warm_up()
        if warm_up is None:
            return
        before, failure = connection.exchanges, None
        self.spent.requests += 1
        try:
            with pinned_to(connection):
                await (warm_up.touch(self.spent) if touch else warm_up.prove(self.spent))
        except Exception as error:
            failure = error
        if connection.exchanges == before:
            raise WarmUpFailed(f"[{self.name}] no complete answer on a warm-up request") from failure
        if connection.round_trip_ms is not None:
            self.round_trips_ms.append(connection.round_trip_ms)
        self._look_at(0 if warm_up.any_answer else connection.last_status)

    def _warm_up(self) -> WarmUp | None:
        known = (warm_up() for warm_up in reversed(self._warm_ups.values()))
        return next((each for each in known if each is not None), None)

    def _look_at(self, status: int) -> None:
        refused = status if status >= 400 else 0
        if refused and refused != self.refused_status:
            logger.warning("[%s] connected, but the warm-up request was refused: HTTP %d", self.name, refused)
        self.refused_status = refused

    async def _close(self, connection: KeptConnection) -> None:
        self._connections.discard(connection)
        await connection.aclose()


def _verified_upload(connection: KeptConnection) -> float:
    return connection.verified_upload_bytes
