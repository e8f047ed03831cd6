"""Both generations of httpx, the real SDK, and servers that can misbehave."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx  # noqa: F401 - half imported while a stream is collected, it confuses openai
import openai
import pytest
import trustme

from warmline.connections.http import WarmSettings, transport_of, warm
from warmline.testing import check_invariants

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.connections.llm_server import LlmServer

LIBRARIES = [name for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Any:
    """httpx, httpx2."""
    return importlib.import_module(request.param)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Whom clients and servers of the tests trust."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """For a server on localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """For a client that trusts it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@asynccontextmanager
async def _warm_client(library: Any, server: LlmServer, *, verify: Any = True, **knobs: Any) -> AsyncIterator[Any]:
    settings = {name: knobs.pop(name) for name in list(knobs) if name in WarmSettings.__dataclass_fields__}
    http = library.AsyncClient(verify=verify)
    original = openai.AsyncOpenAI(base_url=server.url, api_key="sk-test", max_retries=0, timeout=20, http_client=http)
    try:
        async with warm(original, settings=WarmSettings(**settings), **knobs) as client:
            origin = transport_of(client).origin
            yield client
            await settled(origin)
            check_invariants(origin.pool)
            assert origin.pool.snapshot()["counts"]["leased"] == 0
        check_invariants(origin.pool)
        assert origin.pool.snapshot()["counts"]["live"] == 0
    finally:
        await original.close()


@pytest.fixture
def warm_client() -> Callable[..., Any]:
    """`async with warm_client(library, server, floor=...) as client`; whatever it lent must be back at the end."""
    return _warm_client


async def settled(origin: Any) -> None:
    """Nothing is in flight in the pool, and no rest of a body is being read."""
    for _ in range(400):
        counts = origin.pool.snapshot()["counts"]
        if not (origin._tasks or counts["creating"] or counts["warming"] or counts["closing"]):
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"not settled: {counts}")


async def until(condition: Callable[[], bool]) -> None:
    """For what another task or peer does."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")


async def ask(client: Any, **options: Any) -> str:
    """One streamed completion, to its end."""
    stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True, **options)
    return "".join([chunk.choices[0].delta.content async for chunk in stream]).strip()


def azure_deployment(server: LlmServer, kind: Any = openai.AsyncAzureOpenAI) -> Any:
    """A client of an Azure deployment."""
    endpoint = server.url.removesuffix("/v1")
    return kind(azure_endpoint=endpoint, azure_deployment="dep", api_version="2024-10-21", api_key="k", max_retries=0)
