"""Which clients share the connections of an origin, and that those that do not leave one another alone."""

from __future__ import annotations

import asyncio

import httpx
import openai
import pytest

from tests.connections.conftest import until
from tests.connections.llm_server import LlmServer
from warmline.connections.http import transport_of, warm

COMPLETION = {"model": "m", "messages": [{"role": "system", "content": "x" * 30_000}]}


def sdk(server, key="good", **options):
    return openai.AsyncOpenAI(base_url=server.url, api_key=key, max_retries=0, **options)


def test_a_client_with_a_limit_limits_nobody_else(library):
    async def main():
        async with LlmServer() as server:
            trust = library.create_ssl_context()
            narrow = library.AsyncClient(base_url=server.url, verify=trust, limits=library.Limits(max_connections=1))
            wide = library.AsyncClient(base_url=server.url, verify=trust)
            async with warm(narrow) as one, warm(wide) as many:
                assert transport_of(one).origin is not transport_of(many).origin
                server.speak.clear()
                asked = [asyncio.ensure_future(many.post("/chat/completions", json={})) for _ in range(5)]
                await until(lambda: len(server.asked("/completions")) == 5)
                server.speak.set()
                assert {each.status_code for each in await asyncio.gather(*asked)} == {200}

    asyncio.run(main())


def test_a_wrong_key_is_that_clients_own(library):
    async def main():
        async with (
            LlmServer(good_key="good") as server,
            warm(sdk(server)) as good,
            warm(sdk(server, "wrong")) as wrong,
        ):
            for client in (good, wrong):
                assert await transport_of(client).wait_warm()
            await transport_of(wrong).rewarm(older_than_sec=0)
            await until(lambda: len(server.seen) == 6)
            await until(lambda: transport_of(wrong).snapshot()["counts"]["spare"] == 2)
            assert (transport_of(good).refused_status, transport_of(wrong).refused_status) == (0, 401)

    asyncio.run(main())


def test_a_strategy_is_not_replaced_by_that_of_another_client():
    async def main():
        async with LlmServer() as server:
            large = warm(sdk(server), strategy="completion", completion=COMPLETION)
            async with large, warm(sdk(server)) as small:
                for client in (large, small):
                    assert await transport_of(client).wait_warm()
                assert sorted(each.method for each in server.seen) == ["GET", "GET", "POST", "POST"]
                proven = [each.verified_upload_bytes for each in transport_of(large).origin._connections]
                assert min(proven) > 30_000

    asyncio.run(main())


@pytest.mark.parametrize(
    "options",
    [{}, {"organization": "o"}, {"default_headers": {"x-team": "blue"}}, {"default_query": {"v": "1"}}],
)
def test_clients_that_are_alike_share(options):
    async def main():
        async with (
            LlmServer() as server,
            warm(sdk(server, **options)) as one,
            warm(sdk(server, **options)) as two,
            warm(sdk(server, "another", **options)) as other,
        ):
            assert transport_of(one).origin is transport_of(two).origin
            one.api_key = two.api_key = "rotated"
            assert transport_of(one).origin is transport_of(two).origin
            assert transport_of(other).origin is not transport_of(one).origin

    asyncio.run(main())


class Issuer:
    """Whose bound method is another object at every look."""

    async def token(self) -> str:
        return "t"


def test_azure_clients_share_by_their_token_provider():
    def azure(server, issuer):
        return openai.AsyncAzureOpenAI(
            azure_endpoint=server.url, api_version="v", azure_ad_token_provider=issuer.token, max_retries=0
        )

    async def main():
        issuer = Issuer()
        async with (
            LlmServer() as server,
            warm(azure(server, issuer)) as one,
            warm(azure(server, issuer)) as two,
            warm(azure(server, Issuer())) as other,
        ):
            assert transport_of(one).origin is transport_of(two).origin
            assert transport_of(one).origin is not transport_of(other).origin

    asyncio.run(main())


def test_the_key_of_a_client_is_in_no_sharing_key():
    async def main():
        async with LlmServer() as server, warm(sdk(server, "sk-secret-secret")) as client:
            assert "sk-secret-secret" not in repr(transport_of(client)._sharing_key())

    asyncio.run(main())


def test_plain_clients_share_by_their_address():
    async def main():
        trust = httpx.create_ssl_context()
        async with LlmServer() as server:
            clients = [warm(httpx.AsyncClient(base_url=server.url, verify=trust)) for _ in range(2)]
            assert transport_of(clients[0]).origin is transport_of(clients[1]).origin
            for client in clients:
                await client.aclose()

    asyncio.run(main())
