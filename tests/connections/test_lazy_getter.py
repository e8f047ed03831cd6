"""A module's `get_client()`, warm, and lazy all the same."""

from __future__ import annotations

import asyncio

import aiohttp
import openai
import pytest

from tests.connections.conftest import ask, azure_deployment, until
from tests.connections.llm_server import LlmServer
from tests.connections.test_sync_clients import served
from warmline.connections.http import WarmSettings, transport_of, warm_getter
from warmline.errors import ConfigError


def sdk(server):
    return openai.AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0)


def test_a_lazy_getter_stays_lazy():
    made = []

    async def main():
        async with LlmServer() as server:

            def get_client():
                made.append(sdk(server))
                return made[-1]

            get_warm = warm_getter(get_client, settings=WarmSettings(floor=1))
            await asyncio.sleep(0.01)
            assert (made, server.connections) == ([], 0)
            assert await get_warm.warm_up()
            assert server.connections == 1
            assert get_warm() is get_warm()
            assert len(made) == 1
            assert await ask(get_warm()) == "word0 word1 word2"
            assert transport_of(get_warm()).recent[-1].tier == "warm"
            await get_warm.aclose()
            await made[0].close()

    asyncio.run(main())


def test_a_lazy_getter_of_synchronous_clients(library):
    def azure():
        return azure_deployment(server, openai.AzureOpenAI)

    def plain():
        return library.Client(base_url=server.url)

    async def main(get_client):
        get_warm = warm_getter(get_client, settings=WarmSettings(floor=1))
        assert await get_warm.warm_up()
        first = get_warm()
        assert transport_of(first).snapshot()["counts"]["spare"] == 1
        await get_warm.aclose()
        assert get_warm() is not first
        await get_warm.aclose()

    with served() as server:
        for get_client in (azure, plain):
            asyncio.run(main(get_client))
        get_warm = warm_getter(azure)
        get_warm()
        get_warm.close()
        asyncio.run(until_async(lambda: server.open == 0))


async def until_async(condition):
    await until(condition)


def test_a_lazy_getter_of_an_aiohttp_session():
    async def main():
        async with LlmServer() as server, aiohttp.ClientSession(server.url + "/") as original:
            get_warm = warm_getter(lambda: original)
            assert await get_warm.warm_up()
            with pytest.raises(ConfigError, match="aclose"):
                get_warm.close()
            session = get_warm()
            await get_warm.aclose()
            assert session.closed

    asyncio.run(main())
