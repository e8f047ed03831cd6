"""Where a client's requests go that are not for the origin that is kept warm: its own proxies and mounts."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from warmline.connections.http.route import route_of
from warmline.connections.http.sync_transport import SyncWarmTransport
from warmline.connections.http.transport import WarmTransport
from warmline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warmline.connections.http.dialect import Dialect

__all__ = ["mounts_of"]


class _Borrowed:
    """A transport of the original client (a mock, an application), which goes on when the copy is closed."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def handle_request(self, request: Any) -> Any:
        """Passed on."""
        return self._transport.handle_request(request)

    async def handle_async_request(self, request: Any) -> Any:
        """Passed on."""
        return await self._transport.handle_async_request(request)

    def close(self) -> None:
        """Not ours."""

    async def aclose(self) -> None:
        """Not ours."""

    def __enter__(self) -> _Borrowed:
        return self

    async def __aenter__(self) -> _Borrowed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def mounts_of(
    dialect: Dialect, http_client: Any, urls: Sequence[str], transport: Any, keepers: Sequence[WarmTransport]
) -> dict[Any, Any]:
    """The mounts of the copy: `urls` to `transport`, everything else as the original would send it.

    Empty where the original has none: then all goes over the one route that is kept warm. `keepers` are the transports
    behind `transport`, the first for `urls[0]`; what is sent elsewhere is on record there.
    """
    if not http_client._mounts:
        return {}
    pattern = importlib.import_module(f"{dialect.name}._utils").URLPattern
    made: dict[Any, Any] = {}
    for url in urls:
        parsed = dialect.httpx.URL(url)
        port = "" if parsed.port is None else f":{parsed.port}"
        made[pattern(f"{parsed.scheme}://{parsed.host}{port}")] = transport
    twins: dict[int, Any] = {}
    everything = {**http_client._mounts, pattern("all://"): None}
    for where, taken in everything.items():
        original = http_client._transport if taken is None else taken
        if id(original) not in twins:
            twins[id(original)] = _twin(dialect, original, keepers[0], synchronous=hasattr(transport, "handle_request"))
        made.setdefault(where, twins[id(original)])
    return made


def _twin(dialect: Dialect, original: Any, keeper: WarmTransport, *, synchronous: bool) -> Any:
    """Connections of the copy's own, over the same route; timed, not kept warm."""
    try:
        route = route_of(dialect, original, default_tls=False)
    except ConfigError:
        return _Borrowed(original)
    twin = WarmTransport(None, route=route, settings=keeper.settings, on_request=keeper.on_request)
    twin.recent = keeper.recent
    return SyncWarmTransport(twin) if synchronous else twin
