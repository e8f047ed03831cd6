"""The transport that an httpx or httpx2 client is given: its requests go over connections that stand ready."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from warmline.connections.http.connection import HttpConnection, open_connection
from warmline.connections.http.dialect import Dialect, dialect_named
from warmline.connections.http.exchange import Exchange, core_request, origin_of
from warmline.connections.http.lifetime import Lifetime
from warmline.connections.http.loop_end import end_soon
from warmline.connections.http.loop_share import LoopShare
from warmline.connections.http.names import ResolvedNames
from warmline.connections.http.origin import REMEMBERED_REQUESTS, WarmOrigin
from warmline.connections.http.phases import RequestPhases, tell
from warmline.connections.http.route import Route, default_route
from warmline.connections.http.settings import WarmSettings
from warmline.connections.http.warm_up import PINNED, WarmUp, shared_as
from warmline.connections.spent import Spent

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from warmline.pool import PoolSnapshot

__all__ = ["WarmTransport"]


class WarmTransport(Lifetime):
    """For `httpx.AsyncClient(transport=...)` and `httpx2.AsyncClient(transport=...)`; `warm(client)` makes one for you.

    Requests to `url`'s origin take a connection from a pool of proven ones, which all clients of the event loop with
    the same route, limits, settings and warm-up share. Others, and HTTP/2, go over connections of httpcore's own, which
    are timed but not kept warm. Begins on each event loop that uses it; what it began there ends with `aclose`, with
    the loop, or when nobody holds the transport any more.

    Args:
        url: any address at the origin to keep warm; None keeps nothing warm.
        dialect: `httpx` or `httpx2`; ignored with a `route`.
        route: TLS, proxy, protocol; None for the library's defaults.
        warm_up: how a connection is proven; None only connects it.
        on_request: called with the phases of every request that ended, on the event loop; it must be quick.
        generates: `url` is a language model's, where `WarmSettings.repeat_generations` holds whatever it says.

    Attributes:
        home: httpcore's origin of `url`.
        on_request: as given.
        recent: the phases of this transport's last requests, warm-ups excepted.
    """

    def __init__(
        self,
        url: str | None,
        dialect: str = "httpx",
        *,
        route: Route | None = None,
        settings: WarmSettings | None = None,
        warm_up: WarmUp | None = None,
        on_request: Callable[[RequestPhases], None] | None = None,
        generates: bool = False,
    ) -> None:
        self.route: Route = route or default_route(dialect_named(dialect))
        self.dialect: Dialect = self.route.dialect
        self.settings: WarmSettings = settings or WarmSettings()
        self.recent: deque[RequestPhases] = deque(maxlen=REMEMBERED_REQUESTS)
        self.warm_up: WarmUp | None = warm_up
        self.on_request: Callable[[RequestPhases], None] | None = on_request
        self._generates = generates or self.settings.repeat_generations
        self._left: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self._spent: Spent = Spent()
        self.home: Any = None if url is None else origin_of(self.dialect, self.dialect.httpx.URL(url))
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopShare] = weakref.WeakKeyDictionary()

    # --- what httpx calls ------------------------------------------------------------------------------------------

    async def handle_async_request(self, request: Any) -> Any:
        """One request; errors are those of the client's own library."""
        origin = origin_of(self.dialect, request.url)
        phases = RequestPhases(origin=str(origin), method=request.method)
        core = core_request(self.dialect, request, phases)
        exchange = Exchange(
            self.dialect,
            request,
            core,
            phases,
            self.settings.drain_ms / 1e3,
            self._ended,
            generates=self._generates,
        )
        pinned = PINNED.get()
        if isinstance(pinned, HttpConnection) and pinned.origin == origin:
            return await exchange.over(pinned)
        if origin != self.home or not self._may_keep_warm:
            return await exchange.plainly(self._here().plain(self.route, self.settings))
        home = self.origin
        await home.entered()
        return await exchange.through(home)

    async def aclose(self) -> None:
        """Leave the connections of the running loop; the last who leaves closes them."""
        loop = asyncio.get_running_loop()
        mine = self._loops.pop(loop, None)
        if mine is not None:
            self._left.add(loop)
            self._spent = mine.spent
            await mine.aclose()

    # --- what you call ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """`start`, from code that cannot wait. Needs a running event loop."""
        if self._may_keep_warm:
            self.origin.begin()

    async def start(self) -> None:
        """Begin to open connections in the background."""
        if self._may_keep_warm:
            await self.origin.entered()

    async def wait_warm(self, n: int | None = None, timeout: float = 10.0) -> bool:
        """True once `n` proven connections stand (default: the floor).

        False after `timeout` seconds, for HTTP/2, and once it is closed.
        """
        return self._keeps_warm and await self.origin.wait_warm(n, timeout)

    async def rewarm(self, older_than_sec: float = 5.0) -> None:
        """Somebody is about to need it (a ring, a connect, a caller who begins to speak): prove connections again.

        Returns at once. A connection proven less than `older_than_sec` ago is left alone, and at least half stay at
        hand meanwhile. Does nothing once it is closed.
        """
        if self._keeps_warm:
            await self.origin.entered()
            self.origin.reprove(older_than_sec)

    def snapshot(self) -> PoolSnapshot | None:
        """The pool of the running loop; None where nothing is kept warm (any more)."""
        return self.origin.snapshot() if self._keeps_warm else None

    @property
    def spent(self) -> Spent:
        """What the warmth of this origin has cost on the running loop, for all who share it. Stands when closed."""
        return self.origin.spent if self._keeps_warm else self._spent

    @property
    def refused_status(self) -> int:
        """The HTTP status with which the last warm-up request was refused; 0 when it was not."""
        return self.origin.prover.refused_status if self._keeps_warm else 0

    # --- inside ----------------------------------------------------------------------------------------------------

    @property
    def _may_keep_warm(self) -> bool:
        return self.home is not None and self.route.keeps_warm

    @property
    def _keeps_warm(self) -> bool:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # over; what it cost can still be asked
            return False
        return self._may_keep_warm and loop not in self._left

    def _ended(self, phases: RequestPhases) -> None:
        self.recent.append(phases)
        tell(self.on_request, phases)

    def _here(self) -> LoopShare:
        loop = asyncio.get_running_loop()
        self._left.discard(loop)  # used again after all
        share = self._loops.get(loop)
        if share is None or share.ended:
            for past in [each for each in self._loops if each.is_closed()]:
                del self._loops[past]
            share = self._loops[loop] = LoopShare()
            weakref.finalize(self, end_soon, weakref.ref(loop), weakref.ref(share)).atexit = False
        return share

    @property
    def origin(self) -> WarmOrigin:
        """The home origin's connections on the running loop."""
        mine = weakref.ref(self)
        return self._here().origin(self._sharing_key, self._make_origin, lambda: getattr(mine(), "warm_up", None))

    def _sharing_key(self) -> Hashable:
        """Equal for transports whose connections are proven alike, for the same principal, within the same limits."""
        return (self.route.key, self._home_key, self.settings, shared_as(self.warm_up))

    @property
    def _home_key(self) -> tuple[bytes, bytes, int]:
        return (self.home.scheme, self.home.host, self.home.port)

    def _make_origin(self) -> WarmOrigin:
        names = ResolvedNames(self.settings.dns_ttl_sec)
        opener = functools.partial(open_connection, self.route, self.home, names, self.settings.care)
        return WarmOrigin(
            self.home.host.decode("ascii"),
            self.home.port,
            opener,
            names,
            self.settings,
            self.route.max_connections,
        )
