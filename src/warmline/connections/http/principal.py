"""On whose behalf a client of the SDK asks, without holding the secret."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["principal_of"]

_SECRETS = ("api_key", "admin_api_key", "_azure_ad_token", "organization", "project", "webhook_secret")
_PROVIDERS = ("_api_key_provider", "_azure_ad_token_provider", "workload_identity", "_provider")


def principal_of(client: Any) -> Hashable:
    """Equal for clients whose requests a provider treats alike: keys, token providers, organisation, headers, query."""
    stated = [(name, str(getattr(client, name, None))) for name in _SECRETS]
    stated += [(f"header {name.lower()}", str(value)) for name, value in _given(client, "_custom_headers")]
    stated += [(f"query {name}", str(value)) for name, value in _given(client, "_custom_query")]
    digest = hashlib.sha256(repr(stated).encode("utf-8", "surrogatepass")).digest()
    return (digest, *(_identity(getattr(client, name, None)) for name in _PROVIDERS))


def _given(client: Any, name: str) -> list[tuple[str, Any]]:
    given = getattr(client, name, None)
    return sorted(dict(given).items(), key=lambda item: item[0]) if given else []


def _identity(provider: Any) -> Hashable:
    """Of a callable; a method is another object each time that it is looked up."""
    return (id(getattr(provider, "__self__", None)), id(getattr(provider, "__func__", provider)))
