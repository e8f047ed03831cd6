"""Several origins that serve the same thing: requests go to the nearest healthy one, by measurement."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warmline.connections.http.connection import HttpConnection
from warmline.connections.http.lifetime import Lifetime
from warmline.connections.http.warm_up import PINNED
from warmline.connections.spent import Spent

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Sequence

    from warmline.connections.http.dialect import Dialect
    from warmline.connections.http.phases import RequestPhases
    from warmline.connections.http.transport import WarmTransport
    from warmline.pool import PoolSnapshot

__all__ = ["NearestTransport", "choose"]

NEARER_FACTOR, NEARER_MS = 0.8, 5.0  # by so much must another be nearer before it is worth leaving this one


@dataclass(frozen=True, slots=True)
class Place:
    """One origin: the URL that all its paths begin with, and the transport that keeps it warm."""

    base: Any
    transport: WarmTransport


def choose(round_trips_ms: Sequence[float | None], current: int) -> int:
    """The index of the place to send to; None is one that is unhealthy or was never measured.

    Stays where it is unless another is clearly nearer: a server's prompt cache, and a connection's grown congestion
    window, are left behind with every move.
    """
    known = [(ms, index) for index, ms in enumerate(round_trips_ms) if ms is not None]
    if not known:
        return current
    nearest_ms, nearest = min(known)
    here_ms = round_trips_ms[current]
    if here_ms is None:
        return nearest
    is_nearer = nearest_ms < here_ms * NEARER_FACTOR and here_ms - nearest_ms >= NEARER_MS
    return nearest if is_nearer else current


class NearestTransport(Lifetime):
    """Keeps several origins warm. What is asked of the first goes to whichever is nearest; warm-ups measure it.

    Args:
        places: (base URL, transport of that origin); the first is the one that callers name.
    """

    def __init__(self, places: Sequence[tuple[str, WarmTransport]]) -> None:
        self.dialect: Dialect = places[0][1].dialect
        self._places = [Place(self.dialect.httpx.URL(base), transport) for base, transport in places]
        self._current = 0

    async def handle_async_request(self, request: Any) -> Any:
        """As `WarmTransport.handle_async_request`."""
        pinned = PINNED.get()
        if isinstance(pinned, HttpConnection):
            for place in self._places:
                if place.transport.home == pinned.origin:
                    return await place.transport.handle_async_request(request)
        first = self._places[0]
        if not _is_below(request.url, first.base):
            return await first.transport.handle_async_request(request)
        self._current = choose([_distance(place) for place in self._places], self._current)
        place = self._places[self._current]
        return await place.transport.handle_async_request(self._moved(request, place))

    @property
    def current(self) -> str:
        """The base URL to which the last request went."""
        return str(self._places[self._current].base)

    @property
    def round_trips_ms(self) -> dict[str, float | None]:
        """By base URL; None for one that is unhealthy or was never measured."""
        return {str(place.base): _distance(place) for place in self._places}

    def begin(self) -> None:
        """As `WarmTransport.begin`."""
        for place in self._places:
            place.transport.begin()

    async def start(self) -> None:
        """As `WarmTransport.start`."""
        for place in self._places:
            await place.transport.start()

    async def wait_warm(self, n: int | None = None, timeout: float = 10.0) -> bool:
        """True once any of the places is warm."""
        waits = {asyncio.ensure_future(place.transport.wait_warm(n, timeout)) for place in self._places}
        try:
            while waits:
                done, waits = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                if any(wait.result() for wait in done):
                    return True
            return False
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def rewarm(self, older_than_sec: float = 5.0) -> None:
        """As `WarmTransport.rewarm`."""
        for place in self._places:
            await place.transport.rewarm(older_than_sec)

    def snapshot(self) -> PoolSnapshot | None:
        """Of the place where requests go now."""
        return self._places[self._current].transport.snapshot()

    @property
    def spent(self) -> Spent:
        """Of all places."""
        each = [place.transport.spent for place in self._places]
        return Spent(
            requests=sum(one.requests for one in each),
            unanswered=sum(one.unanswered for one in each),
            prompt_tokens=sum(one.prompt_tokens for one in each),
            cached_tokens=sum(one.cached_tokens for one in each),
            completion_tokens=sum(one.completion_tokens for one in each),
        )

    @property
    def refused_status(self) -> int:
        """Of the place where requests go now."""
        return self._places[self._current].transport.refused_status

    @property
    def recent(self) -> deque[RequestPhases]:
        """Of the place where requests go now."""
        return self._places[self._current].transport.recent

    async def aclose(self) -> None:
        """As `WarmTransport.aclose`."""
        for place in self._places:
            await place.transport.aclose()

    def _moved(self, request: Any, place: Place) -> Any:
        """The same request at another place: scheme, host, port and the front of the path are exchanged."""
        if place is self._places[0]:
            return request
        below = request.url.raw_path.removeprefix(self._places[0].base.raw_path.rstrip(b"/"))
        url = place.base.copy_with(raw_path=place.base.raw_path.rstrip(b"/") + below)
        headers = request.headers.copy()
        headers["Host"] = url.netloc.decode("ascii")
        return self.dialect.httpx.Request(
            request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
        )


def _is_below(url: Any, base: Any) -> bool:
    same_origin = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
    return same_origin and bool(url.raw_path.startswith(base.raw_path.rstrip(b"/")))


def _distance(place: Place) -> float | None:
    origin = place.transport.origin
    if not origin.healthy or not origin.round_trips_ms:
        return None
    return statistics.median(origin.round_trips_ms)
