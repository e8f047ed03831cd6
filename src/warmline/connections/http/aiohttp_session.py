"""A copy of an `aiohttp.ClientSession` over a `WarmConnector`."""

from __future__ import annotations

import asyncio
import copy
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import aiohttp
from aiohttp.helpers import get_env_proxy_for_url
from aiohttp.resolver import DefaultResolver
from yarl import URL

from warmline.connections.http.aiohttp_connector import WarmConnector
from warmline.connections.http.loop_end import end_soon
from warmline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.connections.http.phases import RequestPhases
    from warmline.connections.http.settings import WarmSettings
    from warmline.connections.spent import Spent

__all__ = ["warm_session"]


@dataclass(frozen=True, slots=True)
class _SessionWarmUp:
    """`HEAD`, through the session itself."""

    any_answer: ClassVar[bool] = True
    session: aiohttp.ClientSession
    url: str

    async def prove(self, spent: Spent) -> None:
        """Ask; any answer will do."""
        await self.touch(spent)

    async def touch(self, spent: Spent) -> None:
        """As `prove`."""
        async with self.session.head(self.url) as response:
            await response.read()


def warm_session(
    session: aiohttp.ClientSession,
    url: str | None,
    settings: WarmSettings | None,
    on_request: Callable[[RequestPhases], None] | None,
) -> aiohttp.ClientSession:
    """See `warm`. The cookie jar is the original's.

    Raises:
        ConfigError: no address to keep warm, or a connector of another kind.
    """
    base = getattr(session, "_base_url", None)
    at = url or (None if base is None else str(base))
    if at is None:
        raise ConfigError("a session without a base URL needs url=..., an address at the origin to keep warm")
    _refuse_proxies(session, at)
    connector = _connector_like(session.connector, at, settings, on_request)
    made = copy.copy(session)
    # Set as aiohttp sets them; it has no public way to exchange a connector.
    object.__setattr__(made, "_connector", connector)
    object.__setattr__(made, "_connector_owner", True)
    object.__setattr__(made, "_middlewares", (*session._middlewares, connector.middleware))
    asked = weakref.ref(made)
    connector.origin.prover.add_warm_up(
        connector, lambda: None if (alive := asked()) is None else _SessionWarmUp(alive, at)
    )
    weakref.finalize(made, end_soon, weakref.ref(asyncio.get_running_loop()), weakref.ref(connector)).atexit = False
    return made


def _refuse_proxies(session: aiohttp.ClientSession, url: str) -> None:
    """Requests of a session with a proxy would pass the warm connections by."""
    proxied = session._default_proxy is not None
    if not proxied and session.trust_env:
        try:
            proxied = bool(get_env_proxy_for_url(URL(url)))
        except LookupError:
            proxied = False
    if proxied:
        raise ConfigError("an aiohttp session with a proxy cannot be kept warm; use httpx, or a session without")


def _connector_like(
    connector: Any, url: str, settings: WarmSettings | None, on_request: Callable[[RequestPhases], None] | None
) -> WarmConnector:
    if type(connector) is not aiohttp.TCPConnector:
        raise ConfigError(
            f"a session over {type(connector).__name__} brings connections of its own, which cannot be kept warm"
        )
    if connector.force_close:
        raise ConfigError("a session whose connector has force_close=True keeps no connection, so none can be warm")
    default_resolver = isinstance(connector._resolver, DefaultResolver)
    made = WarmConnector(
        url,
        settings=settings,
        on_request=on_request,
        limit=connector.limit_per_host or connector.limit,
        ssl=connector._ssl,
        family=connector.family,
        happy_eyeballs_delay=connector._happy_eyeballs_delay,
        interleave=connector._interleave,
        socket_factory=connector._socket_factory,
        resolver=None if default_resolver else connector._resolver,
    )
    # Set as aiohttp sets them: the one is kept in another form, the other cannot be given without a warning.
    made._local_addr_infos = connector._local_addr_infos
    made._ssl_shutdown_timeout = connector._ssl_shutdown_timeout
    return made
