"""How a client reaches its servers: TLS, proxy, protocol. Read off the transport that it was built with.

The only file that knows httpcore's attributes; the pools that it makes come from public constructors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warmline.errors import ConfigError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Hashable

    from warmline.connections.http.dialect import Dialect

__all__ = ["Proxy", "Route", "bytes_beyond_answer", "route_of"]

_default_tls: dict[str, ssl.SSLContext] = {}


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP or SOCKS proxy between us and the origin. Its headers and auth never show in a repr."""

    kind: str
    url: Any
    options: dict[str, Any]

    def __repr__(self) -> str:
        return f"<Proxy {self.kind}>"


@dataclass(frozen=True, slots=True)
class Route:
    """What two clients must have in common to share connections."""

    dialect: Dialect
    tls: ssl.SSLContext
    http1: bool = True
    http2: bool = False
    retries: int = 0
    max_connections: int | None = None
    local_address: str | None = None
    uds: str | None = None
    proxy: Proxy | None = None

    @property
    def keeps_warm(self) -> bool:
        """HTTP/2 and unix sockets are passed on as they are: see docs/explanation/warm-connections.md."""
        return not self.http2 and self.uds is None

    @property
    def direct(self) -> bool:
        """No proxy: the connection can be opened before there is a request for it."""
        return self.proxy is None

    @property
    def key(self) -> Hashable:
        """Equal for routes whose connections are interchangeable."""
        proxy = None if self.proxy is None else (self.proxy.kind, repr(self.proxy.url), repr(self.proxy.options))
        protocol = (self.dialect.name, id(self.tls), self.http1, self.http2)
        return (*protocol, self.max_connections, self.local_address, self.uds, proxy)

    def new_pool(self, backend: Any) -> Any:
        """An httpcore pool of this route that opens sockets through `backend`."""
        core = self.dialect.core
        shared: dict[str, Any] = {
            "ssl_context": self.tls,
            "http1": self.http1,
            "http2": self.http2,
            "max_connections": self.max_connections,
            "network_backend": backend if self.uds is None else None,
        }
        if self.proxy is None:
            direct = {"retries": self.retries, "local_address": self.local_address, "uds": self.uds}
            return core.AsyncConnectionPool(**shared, **direct)
        maker = core.AsyncSOCKSProxy if self.proxy.kind == "socks" else core.AsyncHTTPProxy
        return maker(proxy_url=self.proxy.url, **self.proxy.options, **shared)


def route_of(dialect: Dialect, transport: Any, *, default_tls: bool) -> Route:
    """The route of an `(Async)HTTPTransport`.

    Args:
        default_tls: its TLS settings are the library's own defaults, so the process's one context for them will do.

    Raises:
        ConfigError: another kind of transport (a mock, an ASGI app): there is nothing to keep warm.
    """
    pool = getattr(transport, "_pool", None)
    if not isinstance(transport, dialect.httpx.AsyncHTTPTransport | dialect.httpx.HTTPTransport) or pool is None:
        raise ConfigError(
            f"a client over {type(transport).__name__} brings connections of its own, which cannot be kept warm"
        )
    limit = pool._max_connections
    return Route(
        dialect=dialect,
        tls=_default_tls.setdefault(dialect.name, pool._ssl_context) if default_tls else pool._ssl_context,
        http1=pool._http1,
        http2=pool._http2,
        retries=pool._retries,
        max_connections=limit if limit < 1000 else None,  # the SDK's 1000 means no limit
        local_address=pool._local_address,
        uds=pool._uds,
        proxy=_proxy_of(pool),
    )


def _proxy_of(pool: Any) -> Proxy | None:
    url = getattr(pool, "_proxy_url", None)
    if url is None:
        return None
    if hasattr(pool, "_proxy_headers"):
        options = {"proxy_headers": pool._proxy_headers, "proxy_ssl_context": pool._proxy_ssl_context}
        return Proxy("http", url, options)
    auth = pool._proxy_auth
    return Proxy("socks", url, {"proxy_auth": auth})


def default_route(dialect: Dialect) -> Route:
    """The route of a client that was given no settings; one SSL context a process and dialect."""
    tls = _default_tls.get(dialect.name)
    if tls is None:
        tls = _default_tls[dialect.name] = dialect.httpx.create_ssl_context()
    return Route(dialect=dialect, tls=tls)


def bytes_beyond_answer(connection: Any) -> bool:
    """True when an idle HTTP/1.1 connection has taken in more than the answer: some servers add a body to `HEAD`."""
    protocol = getattr(connection, "_h11_state", None)
    return protocol is not None and bool(protocol.trailing_data[0])
