"""Clients that nobody closes: what they began ends with the event loop, or when they are dropped."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import weakref

import aiohttp
import openai
import pytest

from tests.connections.conftest import ask, until
from tests.connections.llm_server import LlmServer
from tests.connections.test_sync_clients import served
from tests.processes import open_fds
from warmline.connections.http import transport_of, warm


def test_one_client_over_many_loops_keeps_nothing_of_those_that_ended(library):
    loops = []

    async def use(client):
        loops.append(weakref.ref(asyncio.get_running_loop()))
        assert await ask(client) == "word0 word1 word2"
        assert await transport_of(client).wait_warm()

    with served() as server:
        original = openai.AsyncOpenAI(
            base_url=server.url, api_key="k", max_retries=0, http_client=library.AsyncClient()
        )
        client = warm(original)
        asyncio.run(use(client))
        gc.collect()
        before = open_fds()
        for _ in range(5):
            asyncio.run(use(client))
        gc.collect()
        assert [loop() for loop in loops] == [None] * 6
        assert open_fds() <= before
        asyncio.run(until_async(lambda: server.open == 0))


async def until_async(condition):
    await until(condition)


def test_a_client_that_is_dropped_ends(library):
    async def main():
        async with LlmServer() as server:
            original = openai.AsyncOpenAI(
                base_url=server.url, api_key="k", max_retries=0, http_client=library.AsyncClient()
            )
            client = warm(original)
            assert await transport_of(client).wait_warm()
            assert await ask(client) == "word0 word1 word2"
            dropped = weakref.ref(client)
            del client
            await until(lambda: gc.collect() >= 0 and dropped() is None)  # a stream's generators end in steps
            await until(lambda: server.open == 0)
            await original.close()

    asyncio.run(main())


def test_of_two_that_share_one_may_be_dropped(library):
    async def main():
        async with LlmServer() as server:
            original = openai.AsyncOpenAI(
                base_url=server.url, api_key="k", max_retries=0, http_client=library.AsyncClient()
            )
            dropped = warm(original)
            await transport_of(dropped).wait_warm()
            async with warm(original) as client:
                origin = transport_of(client).origin
                assert transport_of(dropped).origin is origin
                assert len(origin.prover._warm_ups) == 2
                del dropped
                gc.collect()
                await until(lambda: len(origin.prover._warm_ups) == 1)
                assert await ask(client) == "word0 word1 word2"
                await until(lambda: server.connections == 3)  # two, and one in the place of that in use
            await original.close()

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:Unclosed client session:ResourceWarning")
def test_an_aiohttp_session_that_is_dropped_ends():
    async def main():
        async with LlmServer() as server, aiohttp.ClientSession(server.url + "/") as original:
            session = warm(original)
            assert await transport_of(session).wait_warm()
            del session
            gc.collect()
            await until(lambda: server.open == 0)

    asyncio.run(main())


def test_an_aiohttp_session_ends_with_its_loop():
    async def use(server):
        async with aiohttp.ClientSession(server.url + "/") as original:
            session = warm(original)
            assert await transport_of(session).wait_warm()
            return session

    with served() as server:
        session = asyncio.run(use(server))
        assert session.closed
        asyncio.run(until_async(lambda: server.open == 0))


def test_an_aiohttp_response_may_be_dropped_when_its_loop_has_ended():
    async def use(server):
        async with aiohttp.ClientSession(server.url + "/") as original:
            session = warm(original)
            server.flow.clear()
            response = await session.post("chat/completions", json={"stream": True})
            assert transport_of(session).snapshot()["counts"]["leased"] == 1
            await session.close()
            return response

    with served() as server:
        asyncio.run(use(server)).release()


def test_a_process_ends_though_a_modules_synchronous_client_was_never_closed():
    script = """
import sys, openai
from warmline.connections.http import transport_of, warm
client = warm(openai.OpenAI(base_url=sys.argv[1], api_key="k"))
assert transport_of(client).wait_warm()
"""
    with served() as server:
        subprocess.run([sys.executable, "-c", script, server.url], check=True, timeout=60)
