"""Endpoints that issue tokens, plain and with TLS."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tests.credentials.endpoint import TokenEndpoint, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with serving() as plain:
        yield plain


@pytest.fixture
def entra(tmp_path: Path) -> Iterator[TokenEndpoint]:
    """azure-identity speaks to an authority over TLS alone."""
    import trustme

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with serving(context) as tls:
        tls.ca_file = str(ca_file)
        yield tls
