"""One request and its response: which connection, what is measured, what happens when the connection fails."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from warmline.connections.http.body import body_of
from warmline.connections.http.phases import PhaseTrace, RequestPhases
from warmline.connections.http.repeat import may_be_repeated
from warmline.errors import PoolClosed
from warmline.pool import AllocationTier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from warmline.connections.http.connection import HttpConnection
    from warmline.connections.http.dialect import Dialect
    from warmline.connections.http.loan import Loan
    from warmline.connections.http.origin import WarmOrigin
    from warmline.connections.http.plain import PlainPool

__all__ = ["Exchange", "core_request", "origin_of"]

SENDS = 2  # at most: once more when the server closed the connection as the request left


def origin_of(dialect: Dialect, url: Any) -> Any:
    """httpcore's origin of httpx's URL."""
    port = url.port or {"http": 80, "https": 443}.get(url.scheme, 0)
    return dialect.core.Origin(scheme=url.raw_scheme, host=url.raw_host, port=port)


def core_request(dialect: Dialect, request: Any, phases: RequestPhases) -> Any:
    """httpcore's form of httpx's request, with the trace that fills `phases`."""
    trace = PhaseTrace(phases, request.extensions.get("trace"))
    url = dialect.core.URL(
        scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
    )
    return dialect.core.Request(
        method=request.method,
        url=url,
        headers=request.headers.raw,
        content=request.stream,
        extensions={**request.extensions, "trace": trace},
    )


class Exchange:
    """Sends one request, one way or another; `ended` hears the phases once the response is over.

    `generates`: the origin is known as a language model's, so that paths tell which requests generate text.
    """

    def __init__(
        self,
        dialect: Dialect,
        request: Any,
        core: Any,
        phases: RequestPhases,
        drain_sec: float,
        ended: Callable[[RequestPhases], None],
        *,
        generates: bool = False,
    ) -> None:
        self._dialect = dialect
        self._request = request
        self._core = core
        self._trace: PhaseTrace = core.extensions["trace"]
        self._phases = phases
        self._drain_sec = drain_sec
        self._ended = ended
        self._generates = generates
        self._reported = False

    async def over(self, connection: HttpConnection) -> Any:
        """Over this very connection: a warm-up."""
        connection.begin_exchange()
        with self._dialect.translated():
            response = await connection.core.handle_async_request(self._core)
        connection.answered(response.status)
        if self._phases.sent_at_ms is not None and self._phases.headers_at_ms is not None:
            connection.round_trip_ms = self._phases.headers_at_ms - self._phases.sent_at_ms

        async def finish(complete: bool) -> None:
            if complete:
                connection.end_exchange()

        async def linger(body: Any) -> None:
            await body.drain(self._drain_sec)

        return self._answer(response, finish, linger, lambda: None)

    async def plainly(self, pool: PlainPool) -> Any:
        """Over a connection of httpcore's own."""
        with self._dialect.translated():
            response = await pool.core.handle_async_request(self._core)
        self._phases.reused = not (self._phases.tcp_ms or self._phases.tls_ms)

        async def finish(_: bool) -> None:
            self._report()

        async def linger(body: Any) -> None:
            self._report()
            pool.own(body.drain(self._drain_sec))

        return self._answer(response, finish, linger, self._report)

    async def through(self, origin: WarmOrigin) -> Any:
        """Over a connection of the pool; once more over another one if the first was just being closed."""
        while True:
            loan = await self._borrow(origin)
            try:
                response = await self._send(loan.connection)
                break
            except BaseException as error:
                again = self._may_send_again(loan, error)
                if loan.connection.fell_silent:
                    origin.distrust_spares(loan.connection.began_at_sec)
                loan.give_back(intact=False)
                if not again:
                    outer = self._dialect.outer(error)
                    if outer is None:
                        raise
                    raise outer from error
            self._phases.sends += 1
            await asyncio.sleep(0)  # closes that came in together with this one are seen first

        async def finish(complete: bool) -> None:
            loan.give_back(intact=loan.connection.end_exchange() and complete)
            self._report()

        async def linger(body: Any) -> None:
            self._report()
            origin.own(body.drain(self._drain_sec), "drain")

        def drop() -> None:
            loan.give_back(intact=False)
            self._report()

        return self._answer(response, finish, linger, drop)

    async def _send(self, connection: HttpConnection) -> Any:
        connection.begin_exchange()
        self._phases.reused = connection.exchanges > 0 or self._phases.tier != AllocationTier.COLD.value
        response = await connection.core.handle_async_request(self._core)
        connection.answered(response.status)
        self._phases.upload_bytes = connection.uploaded_bytes
        return response

    def _may_send_again(self, loan: Loan, error: BaseException) -> bool:
        core, connection = self._dialect.core, loan.connection
        closed = isinstance(error, core.NetworkError | core.RemoteProtocolError)
        stood = connection.exchanges > 0 or loan.tier is not AllocationTier.COLD
        race = closed and stood and connection.heard_nothing
        again = race and self._phases.sends < SENDS
        return again and may_be_repeated(self._dialect.httpx, self._request, generates=self._generates)

    async def _borrow(self, origin: WarmOrigin) -> Loan:
        limits, full = self._request.extensions.get("timeout", {}), origin.full
        limit = limits.get("pool" if full else "connect")
        try:
            loan = await origin.lease(math.inf if limit is None else float(limit))
        except Exception as error:
            raise self._refusal(error, full=full) from error
        phases, opened = self._phases, loan.connection.opened
        phases.tier, phases.joined = loan.tier.value, loan.joined
        phases.waited_ms += loan.acquire_ms
        if loan.tier is AllocationTier.COLD:
            phases.dns_ms, phases.tcp_ms, phases.tls_ms = opened.dns_ms, opened.tcp_ms, opened.tls_ms
        return loan

    def _refusal(self, error: Exception, *, full: bool) -> Exception:
        """As the client's own library would put it."""
        if isinstance(error, TimeoutError):
            return self._dialect.error("PoolTimeout" if full else "ConnectTimeout", "no connection in time")
        if isinstance(error, PoolClosed):
            return self._dialect.error("ConnectError", "the client was closed")
        return self._dialect.outer(error) or self._dialect.error(
            "ConnectError", f"no connection: {type(error).__name__}"
        )

    def _report(self) -> None:
        """Once: when the body ended, or when its reader left."""
        if not self._reported:
            self._reported = True
            self._ended(self._phases)

    def _answer(
        self,
        response: Any,
        finish: Callable[[bool], Awaitable[None]],
        linger: Callable[[Any], Awaitable[None]],
        drop: Callable[[], None],
    ) -> Any:
        self._phases.status = response.status
        return self._dialect.httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=body_of(self._dialect, response.stream, self._trace, finish, linger, drop),
            extensions={**response.extensions, "warmline_phases": self._phases},
        )
