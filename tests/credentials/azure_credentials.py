"""The real azure-identity, pointed at an endpoint on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import azure.identity
import azure.identity.aio

from tests.credentials.endpoint import APP_SERVICE_HEADER, ASSERTION, CLIENT_ID, CLIENT_SECRET, TENANT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.credentials.endpoint import TokenEndpoint

FLOWS = ("app service", "instance metadata", "workload identity", "client secret")
NO_RETRIES = {"retry_total": 0}


def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests."""
    for name in (
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "MSI_ENDPOINT",
    ):
        monkeypatch.delenv(name, raising=False)


def app_service(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, *, is_async: bool = False
) -> Callable[[], Any]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", APP_SERVICE_HEADER)
    return lambda: _module(is_async).ManagedIdentityCredential(**NO_RETRIES)


def instance_metadata(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, *, is_async: bool = False
) -> Callable[[], Any]:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoint.url)
    return lambda: _module(is_async).ManagedIdentityCredential(**NO_RETRIES)


def workload_identity(entra: TokenEndpoint, folder: Path, *, is_async: bool = False) -> Callable[[], Any]:
    file = folder / "federated-token"
    file.write_text(ASSERTION)
    return lambda: _module(is_async).WorkloadIdentityCredential(
        tenant_id=TENANT, client_id=CLIENT_ID, token_file_path=str(file), **_authority(entra)
    )


def client_secret(
    entra: TokenEndpoint, secret: str = CLIENT_SECRET, *, is_async: bool = False, **options: Any
) -> Callable[[], Any]:
    arguments = _authority(entra) | options
    return lambda: _module(is_async).ClientSecretCredential(TENANT, CLIENT_ID, secret, **arguments)


def _authority(entra: TokenEndpoint) -> dict[str, Any]:
    trust = {"connection_verify": entra.ca_file, "disable_instance_discovery": True}
    return {"authority": entra.url, **trust, **NO_RETRIES}


def _module(is_async: bool) -> Any:
    return azure.identity.aio if is_async else azure.identity
