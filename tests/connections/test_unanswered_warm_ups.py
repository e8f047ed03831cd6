"""Warm-ups that get no complete answer: told, counted, tried again, and never at the cost of a real request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
import openai
import pytest

from tests.connections.conftest import HELLO, ask, until
from tests.connections.llm_server import LlmServer, Seen
from warmline.connections.http import WarmSettings, transport_of, warm

ANSWER = "word0 word1 word2"


@dataclass
class Unwilling(LlmServer):
    """`manner`: "drop" the connection, "hang", or "close" after the answer, of all that is no POST."""

    manner: str = ""

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.method == "POST" or not self.manner:
            return await super()._answer(seen, writer)
        if self.manner == "hang":
            await asyncio.sleep(3600)
        if self.manner == "close":
            writer.write(b"HTTP/1.1 405 Not Allowed\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        return False


def told(caplog):
    return [record.message for record in caplog.records if "warm-up failed" in record.message]


@pytest.mark.parametrize("manner", ["drop", "hang", "close"])
@pytest.mark.parametrize("floor", [2, 5])
def test_every_request_is_served_and_the_failure_told_once(library, warm_client, caplog, manner, floor):
    async def main():
        knobs = {"open_timeout_sec": 0.2, "touch_timeout_sec": 0.2, "floor": floor}
        async with Unwilling(manner=manner) as server, warm_client(library, server, **knobs) as client:
            transport = transport_of(client)
            await until(lambda: told(caplog))
            assert not await transport.wait_warm(timeout=0.1), "nothing is proven"
            for _ in range(6):
                assert await ask(client) == ANSWER
            assert not transport.snapshot()["breaker_open"]
            assert transport.snapshot()["closed"]["warm_failed"] == 0
            assert transport.spent.unanswered == (0 if manner == "close" else transport.spent.requests)
            assert len({each.connection for each in server.asked("/completions")}) <= 2, "and they are pooled"
            warm_ups = len(server.seen) - 6
            assert warm_ups <= floor + 2, "one at a time from then on, and ever more slowly"

    asyncio.run(main())
    (line,) = told(caplog)
    assert line.startswith("OpenAI warm-up failed: WarmUpFailed: ")
    assert {"drop": "RemoteProtocolError", "hang": "no complete answer after", "close": "HTTP 405"}[manner] in line
    assert "sk-test" not in caplog.text


@pytest.mark.parametrize("manner", ["drop", "hang", "close"])
def test_it_is_warm_as_soon_as_warm_ups_are_answered_again(library, warm_client, caplog, manner):
    async def main():
        knobs = {"open_timeout_sec": 0.2, "touch_timeout_sec": 0.2}
        async with Unwilling(manner=manner) as server, warm_client(library, server, **knobs) as client:
            await until(lambda: told(caplog))
            assert not transport_of(client).origin.healthy
            server.manner = ""
            assert await transport_of(client).wait_warm(timeout=20)
            assert transport_of(client).origin.healthy

    asyncio.run(main())


def test_a_warm_up_that_hangs_gives_way_where_no_more_connections_are_allowed(library):
    async def main():
        async with Unwilling(manner="hang") as server:
            http = library.AsyncClient(base_url=server.url, limits=library.Limits(max_connections=1))
            async with warm(http) as client:
                await until(lambda: len(server.seen) == 1)
                for _ in range(2):
                    assert (await client.post("/chat/completions", json={})).status_code == 200
                assert transport_of(client).snapshot()["counts"]["live"] == 1
                assert server.connections == 2, "one for the warm-up that was called off, one for both requests"
            await http.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("manner", ["drop", "close"])
def test_aiohttp(manner, caplog):
    async def main():
        async with Unwilling(manner=manner) as server:
            base = server.url.removesuffix("/v1")
            async with aiohttp.ClientSession(base) as original, warm(original) as session:
                await until(lambda: told(caplog))
                for _ in range(5):
                    async with session.post("/v1/chat/completions", json={}) as response:
                        assert (await response.json())["object"] == "chat.completion"
                assert not transport_of(session).snapshot()["breaker_open"]

    asyncio.run(main())


def test_a_hook_that_refuses_the_answer_to_a_warm_up_costs_nothing(library):
    async def refuse(response):
        response.raise_for_status()

    async def main():
        async with LlmServer() as server:
            http = library.AsyncClient(base_url=server.url, event_hooks={"response": [refuse]})
            async with warm(http) as client:
                assert await transport_of(client).wait_warm(), "HEAD was answered, with 404"
                assert server.connections == 2
                assert (await client.get("/models")).status_code == 200
            await http.aclose()

    asyncio.run(main())


def test_a_server_that_adds_a_body_to_head_spoils_no_request(library):
    @dataclass
    class Chatty(LlmServer):
        async def _answer(self, seen, writer):
            if seen.method == "HEAD":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                return True
            return await super()._answer(seen, writer)

    async def main():
        async with Chatty() as server:
            http = library.AsyncClient(base_url=server.url)
            async with warm(http) as client:
                await until(lambda: len(server.seen) >= 2)
                for _ in range(3):
                    assert (await client.get("/models")).status_code == 200
            await http.aclose()

    asyncio.run(main())


def test_a_completion_may_take_as_long_as_the_model(library):
    async def main():
        async with LlmServer() as server:
            server.speak.clear()
            original = openai.AsyncOpenAI(base_url=server.url, api_key="k", http_client=library.AsyncClient())
            asked = {"model": "m", "messages": HELLO}
            settings = WarmSettings(open_timeout_sec=0.1, touch_timeout_sec=0.1)
            async with warm(original, strategy="completion", completion=asked, settings=settings) as client:
                await until(lambda: len(server.seen) == 2)
                assert transport_of(client).spent.unanswered == 2
                await asyncio.sleep(0.3)
                server.speak.set()
                assert await transport_of(client).wait_warm()
                spent = transport_of(client).spent
                assert (len(server.seen), spent.requests, spent.unanswered, spent.completion_tokens) == (2, 2, 0, 2)
            await original.close()

    asyncio.run(main())


def test_credentials_that_are_not_to_be_had_yet_cost_no_connection(library, caplog):
    down = True

    async def token():
        if down:
            raise RuntimeError("a caller's words")
        return "token"

    async def main():
        nonlocal down
        async with LlmServer() as server:
            original = openai.AsyncAzureOpenAI(
                azure_endpoint=server.url.removesuffix("/v1"),
                api_version="v",
                azure_ad_token_provider=token,
                max_retries=0,
                http_client=library.AsyncClient(),
            )
            async with warm(original) as client:
                await until(lambda: told(caplog))
                with pytest.raises(RuntimeError):
                    await ask(client)
                down = False
                assert await ask(client) == ANSWER, "at once"
                assert await transport_of(client).wait_warm(timeout=20)
                assert server.connections <= 3
            await original.close()

    asyncio.run(main())
    assert told(caplog) == ["OpenAI warm-up failed: WarmUpFailed: no complete answer <- RuntimeError (127.0.0.1)"]


def test_while_the_pool_has_given_up_a_request_connects_by_itself(library, warm_client):
    async def main():
        async with LlmServer() as server:
            port = server.port
        down = LlmServer(port=port)
        async with warm_client(library, down) as client:
            transport = transport_of(client)
            with pytest.raises(openai.APIConnectionError) as caught:
                await ask(client)
            assert isinstance(caught.value.__cause__, library.ConnectError)
            await until(lambda: transport.snapshot()["breaker_open"])
            async with down:
                for _ in range(2):
                    assert await ask(client) == ANSWER
                assert len({each.connection for each in down.asked("/completions")}) == 1, "and leaves it to the next"
                assert await transport.wait_warm(timeout=20)
                assert await ask(client) == ANSWER

    asyncio.run(main())


def test_aiohttp_while_the_pool_has_given_up():
    async def main():
        async with LlmServer() as server:
            port = server.port
        down = LlmServer(port=port)
        base = down.url.removesuffix("/v1")
        async with aiohttp.ClientSession(base) as original, warm(original) as session:
            await until(lambda: transport_of(session).snapshot()["breaker_open"])
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get("/v1/models")
            async with down, session.get("/v1/models") as response:
                assert response.status == 200

    asyncio.run(main())
