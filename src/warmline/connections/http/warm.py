"""`warm(client)`: the same client, over connections that stand ready."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args

from warmline.connections.http.azure import as_azure
from warmline.connections.http.dialect import dialect_of
from warmline.connections.http.elsewhere import mounts_of
from warmline.connections.http.nearest import NearestTransport
from warmline.connections.http.route import route_of
from warmline.connections.http.sdk import CompletionWarmUp, ConnectWarmUp, ModelsWarmUp, UrlWarmUp
from warmline.connections.http.sync_transport import SyncWarmTransport
from warmline.connections.http.transport import WarmTransport
from warmline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from warmline.connections.http.dialect import Dialect
    from warmline.connections.http.phases import RequestPhases
    from warmline.connections.http.settings import WarmSettings
    from warmline.connections.http.warm_up import WarmUp

__all__ = ["Strategy", "transport_of", "warm"]

C = TypeVar("C")
Strategy = Literal["connect", "models", "completion"]


def warm(
    client: C,
    *,
    strategy: Strategy = "models",
    completion: Mapping[str, Any] | None = None,
    url: str | None = None,
    also_at: Sequence[str] = (),
    settings: WarmSettings | None = None,
    on_request: Callable[[RequestPhases], None] | None = None,
) -> C:
    """A copy of `client` whose requests find a warm connection; the original is left alone.

    In a running event loop its connections begin to open at once, else with the first request; those of a synchronous
    client at once. Close the copy
    (`close()`, `aclose()`, `async with`) to end them.

    Args:
        client: `AsyncOpenAI`, `AsyncAzureOpenAI` or an `httpx(2).AsyncClient`, or the synchronous twin of one;
            an `aiohttp.ClientSession`.
        strategy: how connections of the SDK's clients are proven: `connect` (any answer), `models` (free, with your
            key), `completion` (costs tokens). Those of plain HTTP clients always by `HEAD`, and any answer.
        completion: for `completion`: what `chat.completions.create` takes, the real system prompt and tools included.
        url: for a plain HTTP client without a base URL: an address at the origin to keep warm, asked with `HEAD`.
        also_at: further base URLs that serve the same with the same key (a provider's regions): requests go to the
            nearest healthy one. For the SDK's clients.
        settings: how warm.
        on_request: called with the phases of each request that ended.

    Raises:
        ConfigError: a client, or a combination, of which nothing can be kept warm.
    """
    _check(client, strategy, completion, also_at, url)
    if _is_sdk(client):
        made = _warm_sdk(client, strategy, completion, also_at, settings, on_request)
    else:
        made = _warm_plain(client, url, settings, on_request)
    _begin(transport_of(made))
    return cast("C", made)


def transport_of(client: Any) -> Any:
    """The transport of a client that `warm` made: to wait for it, to warm it again, to see what it does and costs.

    A `WarmTransport`, or a `NearestTransport` for several origins; a `SyncWarmTransport`, whose methods block, for a
    synchronous client; a `WarmConnector` for an aiohttp session.

    Raises:
        ConfigError: `warm` did not make it.
    """
    http_client = client._client if _is_sdk(client) else client
    if _is_aiohttp(client) and hasattr(client.connector, "wait_warm"):
        return client.connector
    transport = getattr(http_client, "_transport", None)
    if not isinstance(transport, WarmTransport | NearestTransport | SyncWarmTransport):
        raise ConfigError(f"this {type(client).__name__} was not made by warm()")
    return transport


def _check(
    client: Any, strategy: Strategy, completion: Mapping[str, Any] | None, also_at: Sequence[str], url: str | None
) -> None:
    if strategy not in get_args(Strategy):
        raise ConfigError(f"strategy={strategy!r}: expected one of {', '.join(get_args(Strategy))}")
    if (strategy == "completion") != (completion is not None):
        raise ConfigError("strategy='completion' needs completion={...}, and no other strategy takes it")
    if _is_sdk(client):
        if url is not None:
            raise ConfigError("url=... is for plain HTTP clients; a client of the SDK has a base URL")
    elif completion is not None or also_at:
        wrong = "also_at" if also_at else "strategy='completion'"
        raise ConfigError(f"{wrong} is for clients of the SDK; a plain HTTP client is proven by HEAD")


def _is_aiohttp(client: Any) -> bool:
    return any(
        kind.__module__ == "aiohttp.client" and kind.__name__ == "ClientSession" for kind in type(client).__mro__
    )


def _is_sdk(client: Any) -> bool:
    """An OpenAI SDK client: by its parts, so that the SDK need not be imported."""
    return all(hasattr(client, part) for part in ("_client", "base_url", "with_options", "models"))


def _warm_sdk(
    client: Any,
    strategy: Strategy,
    completion: Mapping[str, Any] | None,
    also_at: Sequence[str],
    settings: WarmSettings | None,
    on_request: Callable[[RequestPhases], None] | None,
) -> Any:
    dialect = _dialect(client._client)
    bases = [str(client.base_url), *also_at]
    transports = [_transport_for(dialect, client._client, base, settings, on_request, generates=True) for base in bases]
    several = NearestTransport(list(zip(bases, transports, strict=True))) if also_at else transports[0]
    over = _copy_of(dialect, client._client, several, bases, transports)
    made = as_azure(client.copy(http_client=over, timeout=client.timeout), client)
    for base, transport in zip(bases, transports, strict=True):
        transport.warm_up = _sdk_warm_up(made, base if also_at else None, strategy, completion)
    return made


def _sdk_warm_up(client: Any, base: str | None, strategy: Strategy, completion: Mapping[str, Any] | None) -> WarmUp:
    if strategy == "connect":
        return ConnectWarmUp(client, base)
    if completion is not None:
        return CompletionWarmUp(client, completion, base)
    return ModelsWarmUp(client, base)


def _warm_plain(
    client: Any, url: str | None, settings: WarmSettings | None, on_request: Callable[[RequestPhases], None] | None
) -> Any:
    if dialect_of(client) is not None and hasattr(client, "_transport"):
        return _warm_http_client(client, url, settings, on_request)
    if _is_aiohttp(client):
        from warmline.connections.http.aiohttp_session import warm_session

        return warm_session(client, url, settings, on_request)
    raise ConfigError(f"warm() knows no client of the type {type(client).__name__}")


def _warm_http_client(
    client: Any, url: str | None, settings: WarmSettings | None, on_request: Callable[[RequestPhases], None] | None
) -> Any:
    at = url or str(client.base_url)
    if not at.startswith(("http://", "https://")):
        raise ConfigError("a client without a base URL needs url=..., an address at the origin to keep warm")
    dialect = _dialect(client)
    transport = _transport_for(dialect, client, at, settings, on_request)
    made = _copy_of(dialect, client, transport, [at], [transport])
    transport.warm_up = UrlWarmUp(_twin_of(made), at)
    return made


def _twin_of(http_client: Any) -> Any:
    """For warm-ups: a client that has sent something cannot be entered any more.

    What hears of the user's requests, and the jar, are for the user's own.
    """
    twin = copy.copy(http_client)
    twin._event_hooks = {"request": [], "response": []}
    twin._cookies = type(http_client.cookies)(http_client.cookies)
    return twin


def _dialect(http_client: Any) -> Dialect:
    dialect = dialect_of(http_client)
    if dialect is None or not isinstance(http_client, dialect.httpx.AsyncClient | dialect.httpx.Client):
        raise ConfigError(f"warm() knows no HTTP client of the type {type(http_client).__name__}")
    return dialect


def _transport_for(
    dialect: Dialect,
    http_client: Any,
    url: str,
    settings: WarmSettings | None,
    on_request: Callable[[RequestPhases], None] | None,
    *,
    generates: bool = False,
) -> WarmTransport:
    """Over the route that this client would have taken to `url`, proxies of its environment included."""
    taken = http_client._transport_for_url(dialect.httpx.URL(url))
    built_by_sdk = type(http_client).__module__.startswith("openai.") and type(http_client).__name__.endswith("Wrapper")
    route = route_of(dialect, taken, default_tls=built_by_sdk)
    return WarmTransport(url, route=route, settings=settings, on_request=on_request, generates=generates)


def _copy_of(
    dialect: Dialect,
    http_client: Any,
    transport: WarmTransport | NearestTransport,
    urls: Sequence[str],
    keepers: Sequence[WarmTransport],
) -> Any:
    """The same settings, cookies, hooks and auth over another transport; nothing that can change is shared."""
    made = copy.copy(http_client)
    synchronous = not hasattr(http_client, "__aenter__")
    made._transport = SyncWarmTransport(transport) if synchronous else transport
    made._mounts = mounts_of(dialect, http_client, urls, made._transport, keepers)
    made._state = type(http_client._state).UNOPENED
    made._headers = http_client.headers.copy()
    made._cookies = type(http_client.cookies)(http_client.cookies)
    made._event_hooks = {name: list(hooks) for name, hooks in http_client.event_hooks.items()}
    return made


def _begin(transport: Any) -> None:
    if not isinstance(transport, SyncWarmTransport):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
    transport.begin()
