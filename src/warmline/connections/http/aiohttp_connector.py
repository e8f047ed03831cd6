"""`WarmConnector`: what `WarmTransport` is to httpx, for aiohttp. Imported only by who has aiohttp."""

from __future__ import annotations

import asyncio
import functools
import math
import socket
import time
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from warmline.connections.http import loop_end
from warmline.connections.http.aiohttp_connection import AiohttpConnection, CachedResolver, CountingHandler
from warmline.connections.http.dial import Opened
from warmline.connections.http.names import ResolvedNames
from warmline.connections.http.origin import REMEMBERED_REQUESTS, WarmOrigin
from warmline.connections.http.phases import RequestPhases, tell
from warmline.connections.http.repeat import repeatable_call
from warmline.connections.http.settings import WarmSettings
from warmline.connections.http.warm_up import PINNED, WarmUp
from warmline.errors import PoolError
from warmline.pool import AllocationTier, PoolSnapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohappyeyeballs import AddrInfoType
    from aiohttp.client_reqrep import ConnectionKey

    from warmline.connections.http.loan import Loan
    from warmline.connections.http.socket_options import SocketCare
    from warmline.connections.spent import Spent

__all__ = ["WarmConnector"]

_SENT_AGAIN = (bytes, aiohttp.payload.BytesPayload)  # bodies that can be
FAILURES = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)


@dataclass(slots=True)
class _Attempt:
    """One request on its way: what it met."""

    phases: RequestPhases
    connection: AiohttpConnection | None = None


_ATTEMPT: ContextVar[_Attempt | None] = ContextVar("warmline_attempt", default=None)


class WarmConnector(aiohttp.TCPConnector):
    """For `aiohttp.ClientSession(connector=...)`; `warm(session)` makes one for you.

    Requests to `url`'s origin take proven connections from a pool; others go where a `TCPConnector` would take them.
    Belongs to the running event loop, as every aiohttp connector does.

    Args:
        url: any address at the origin to keep warm.
        limit: connections to that origin, those that stand ready included; 0 for no limit.
        on_request: called with the phases of every request that ended.
        options: those of `TCPConnector`.
    """

    def __init__(
        self,
        url: str,
        *,
        settings: WarmSettings | None = None,
        warm_up: WarmUp | None = None,
        limit: int = 100,
        on_request: Callable[[RequestPhases], None] | None = None,
        **options: Any,
    ) -> None:
        self.settings: WarmSettings = settings or WarmSettings()
        self.recent: deque[RequestPhases] = deque(maxlen=REMEMBERED_REQUESTS)
        names = ResolvedNames(self.settings.dns_ttl_sec)
        if options.get("resolver") is None:
            options |= {"resolver": CachedResolver(names), "use_dns_cache": False}
        if options.get("socket_factory") is None:
            options["socket_factory"] = functools.partial(_unconnected, self.settings.care)
        super().__init__(limit=limit, keepalive_timeout=self.settings.max_idle_sec, **options)
        self._factory = cast("functools.partial[Any]", functools.partial(CountingHandler, self._loop))
        self._on_request = on_request
        self._leases: dict[Any, tuple[Loan, RequestPhases]] = {}
        self._pinned: dict[Any, AiohttpConnection] = {}
        self._template = aiohttp.ClientRequest("HEAD", URL(url), loop=self._loop)
        host, port = str(self._template.url.raw_host), int(self._template.url.port or 80)
        self.origin: WarmOrigin = WarmOrigin(host, port, self._open, names, self.settings, limit or None)
        self.origin.prover.add_warm_up(self, lambda: warm_up)
        loop_end.begun(self)

    # --- what aiohttp calls ----------------------------------------------------------------------------------------

    async def connect(self, req: Any, traces: list[Any], timeout: Any) -> Connection:
        """A connection for one request."""
        key = req.connection_key
        if key != self._template.connection_key:
            return await super().connect(req, traces, timeout)
        upload_bytes = _upload_bytes(req.headers)
        pinned = PINNED.get()
        if isinstance(pinned, AiohttpConnection):
            pinned.begin_exchange(upload_bytes, self.settings.care)
            self._pinned[pinned.handler] = pinned
            return Connection(self, key, pinned.handler, self._loop)
        await self.origin.entered()
        connection = await self._lease(req, timeout)
        connection.begin_exchange(upload_bytes, self.settings.care)
        return Connection(self, key, connection.handler, self._loop)

    def _release(self, key: ConnectionKey, protocol: Any, *, should_close: bool = False) -> None:
        """aiohttp gives a connection back."""
        pinned = self._pinned.pop(protocol, None)
        if pinned is not None:
            if should_close or not pinned.end_exchange():
                protocol.abort()
            return
        loan, phases = self._leases.pop(protocol, (None, None))
        if loan is None or phases is None:
            super()._release(key, protocol, should_close=should_close)
        elif not should_close and _is_about_to_end(protocol):
            self.origin.own(self._linger(loan, phases, protocol), "drain")
        else:
            self._give_back(loan, phases, intact=not should_close and loan.connection.end_exchange())

    async def close(self, *, abort_ssl: bool = False) -> None:
        """End the pool and everything else."""
        if not self.closed:
            await self.origin.aclose()
        self._leases.clear()  # the pool has taken them back; a response may be dropped when no loop runs any more
        await super().close(abort_ssl=abort_ssl)
        await loop_end.ended(self)

    async def aclose(self) -> None:
        """As `close`: its event loop ends, or its session was dropped."""
        await self.close()

    # --- what you call ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to open connections in the background."""
        self.origin.begin()

    async def wait_warm(self, n: int | None = None, timeout: float = 10.0) -> bool:
        """As `WarmTransport.wait_warm`."""
        return await self.origin.wait_warm(n, timeout)

    async def rewarm(self, older_than_sec: float = 5.0) -> None:
        """As `WarmTransport.rewarm`."""
        await self.origin.entered()
        self.origin.reprove(older_than_sec)

    def snapshot(self) -> PoolSnapshot:
        """As `WarmTransport.snapshot`."""
        return self.origin.snapshot()

    @property
    def spent(self) -> Spent:
        """As `WarmTransport.spent`."""
        return self.origin.spent

    @property
    def refused_status(self) -> int:
        """As `WarmTransport.refused_status`."""
        return self.origin.prover.refused_status

    async def middleware(
        self, request: aiohttp.ClientRequest, handler: Callable[[Any], Awaitable[aiohttp.ClientResponse]]
    ) -> aiohttp.ClientResponse:
        """A session's client middleware: times a request, and repeats it once if the server closed as it left."""
        began = time.perf_counter()
        attempt = _Attempt(RequestPhases(origin=str(request.url.origin()), method=request.method))
        token = _ATTEMPT.set(attempt)
        try:
            response = await self._sent(request, handler, attempt)
        finally:
            _ATTEMPT.reset(token)
        attempt.phases.status = response.status
        attempt.phases.http_version = "HTTP/1.1"
        attempt.phases.headers_at_ms = (time.perf_counter() - began) * 1e3
        pinned = PINNED.get()
        if isinstance(pinned, AiohttpConnection):
            pinned.last_status = response.status
        return response

    # --- inside ----------------------------------------------------------------------------------------------------

    async def _sent(
        self, request: Any, handler: Callable[[Any], Awaitable[aiohttp.ClientResponse]], attempt: _Attempt
    ) -> aiohttp.ClientResponse:
        try:
            return await handler(request)
        except FAILURES:
            met = attempt.connection
            stood = met is not None and (met.exchanges or attempt.phases.reused)
            if met is None or not (stood and met.heard_nothing and self._may_be_repeated(request)):
                raise
            if met.fell_silent:
                self.origin.distrust_spares(met.began_at_sec)
        attempt.phases.sends += 1
        await asyncio.sleep(0)
        return await handler(request)

    def _may_be_repeated(self, request: Any) -> bool:
        again, generates = isinstance(request.body, _SENT_AGAIN), self.settings.repeat_generations
        return again and repeatable_call(request.method, request.url.path, request.headers, generates=generates)

    async def _open(self) -> AiohttpConnection:
        began = time.perf_counter()
        # No time-out of aiohttp's: the pool bounds the creation.
        handler = await self._create_connection(self._template, [], aiohttp.ClientTimeout(total=None))
        sock = None if handler.transport is None else handler.transport.get_extra_info("socket")
        if sock is not None:
            self.settings.care.apply(sock)
        opened = Opened(tcp_ms=(time.perf_counter() - began) * 1e3)
        return AiohttpConnection(cast("CountingHandler", handler), opened)

    async def _lease(self, req: Any, timeout: Any) -> AiohttpConnection:
        limit = timeout.connect if timeout.connect is not None else timeout.sock_connect
        try:
            loan = await self.origin.lease(math.inf if limit is None else float(limit))
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError("no connection in time") from error
        except PoolError as error:
            raise aiohttp.ClientConnectionError(f"no connection: {type(error).__name__}") from error
        connection = cast("AiohttpConnection", loan.connection)
        attempt = _ATTEMPT.get() or _Attempt(RequestPhases(origin=str(req.url.origin()), method=req.method))
        phases, attempt.connection = attempt.phases, connection
        phases.tier, phases.joined = loan.tier.value, loan.joined
        phases.waited_ms += loan.acquire_ms
        phases.reused = loan.tier is not AllocationTier.COLD
        phases.tcp_ms = 0.0 if phases.reused else connection.opened.tcp_ms
        self._leases[connection.handler] = (loan, phases)
        return connection

    async def _linger(self, loan: Loan, phases: RequestPhases, protocol: Any) -> None:
        """The reader left before the last chunk: it may only be a moment away."""
        try:
            async with asyncio.timeout(self.settings.drain_ms / 1e3):
                while protocol.should_close and protocol.is_connected():  # noqa: ASYNC110 - aiohttp tells nobody
                    await asyncio.sleep(0.002)
        except TimeoutError:
            pass
        finally:
            self._give_back(loan, phases, intact=loan.connection.end_exchange())

    def _give_back(self, loan: Loan, phases: RequestPhases, *, intact: bool) -> None:
        loan.give_back(intact=intact)
        self.recent.append(phases)
        tell(self._on_request, phases)


def _unconnected(care: SocketCare, address: AddrInfoType) -> socket.socket:
    """aiohttp's socket factory."""
    sock = socket.socket(*address[:3])
    care.before_connecting(sock)
    return sock


def _upload_bytes(headers: Any) -> int | None:
    return None if "Transfer-Encoding" in headers else int(headers.get("Content-Length", 0))


def _is_about_to_end(protocol: Any) -> bool:
    """The body is still coming, and nothing else speaks against the connection."""
    payload = protocol._payload
    return payload is not None and not payload.is_eof() and protocol.is_connected()
