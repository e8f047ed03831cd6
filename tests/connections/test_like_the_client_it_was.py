"""What a warm client must not do otherwise than the one that it was made from."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
from functools import partial

import openai
import pytest

from tests.connections.conftest import HELLO, ask, settled, until
from tests.connections.llm_server import LlmServer
from tests.connections.test_sync_clients import loop_threads, served
from warmline.connections.http import WarmSettings, transport_of, warm

FORK = """
    import os, sys, openai
    from warmline.connections.http import transport_of, warm

    def use(client):
        return client.chat.completions.create(model="m", messages=[], timeout=5).choices[0].message.content

    client = warm(openai.OpenAI(base_url=sys.argv[1], api_key="k", max_retries=0))
    print("parent", use(client), flush=True)
    if os.fork() == 0:
        print("child", use(client), transport_of(client).wait_warm(), flush=True)
        client.close()
        os._exit(0)
    os.wait()
    print("parent", use(client), flush=True)
    client.close()
"""


def test_a_synchronous_client_in_a_forked_child():
    with served() as server:
        script = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FORK), server.url]
        out = subprocess.run(script, capture_output=True, text=True, timeout=30, check=True).stdout
    assert out.splitlines() == ["parent word", "child word True", "parent word"]


def test_a_synchronous_client_is_closed_in_a_running_loop(library):
    async def main():
        warm(openai.OpenAI(base_url="http://127.0.0.1:1/v1", api_key="k", http_client=library.Client())).close()

    asyncio.run(main())
    assert loop_threads() == []


def test_responses_that_are_dropped_half_read_keep_no_connection(library):
    async def main():
        async with LlmServer() as server:
            limits, timeout = library.Limits(max_connections=2), library.Timeout(5, pool=2)
            http = library.AsyncClient(base_url=server.url, limits=limits, timeout=timeout)
            async with warm(http) as client:
                assert await transport_of(client).wait_warm()
                server.flow.clear()
                for _ in range(5):
                    await one_part(client)
                    for _ in range(3):
                        gc.collect()
                        await asyncio.sleep(0.01)
                await until(lambda: transport_of(client).snapshot()["counts"]["leased"] == 0)
            await http.aclose()

    async def one_part(client):
        response = await client.send(client.build_request("POST", "/x", json={"stream": True}), stream=True)
        async for _ in response.aiter_bytes():
            break

    asyncio.run(main())


def test_responses_of_a_synchronous_client_that_are_dropped(library):
    def one_part(client):
        response = client.send(client.build_request("POST", "/x", json={"stream": True}), stream=True)
        for _ in response.iter_bytes():
            break

    with served() as server:
        limits, timeout = library.Limits(max_connections=2), library.Timeout(5, pool=2)
        with library.Client(base_url=server.url, limits=limits, timeout=timeout) as http, warm(http) as client:
            assert transport_of(client).wait_warm()
            server.run(server.flow.clear)
            for _ in range(4):
                one_part(client)
                gc.collect()


def test_a_stream_is_closed_while_its_reader_waits(library, warm_client):
    troubles = []

    async def read(stream):
        async for _ in stream:
            pass

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context["message"]))
        async with LlmServer() as server, warm_client(library, server) as client:
            assert await transport_of(client).wait_warm()
            server.flow.clear()
            stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
            reader = asyncio.create_task(read(stream))
            await asyncio.sleep(0.05)
            await stream.close()
            await asyncio.gather(reader, return_exceptions=True)
            await settled(transport_of(client).origin)
            assert transport_of(client).snapshot()["closed"]["broken"] == 1
            server.flow.set()
            assert await ask(client) == "word0 word1 word2"
            gc.collect()
            await asyncio.sleep(0)

    asyncio.run(main())
    assert troubles == []


@pytest.mark.parametrize("path", ["/surveys/1/responses", "/chat/completions", "/car/models"])
def test_a_post_of_a_plain_client_is_never_sent_twice(library, path):
    async def main():
        async with LlmServer() as server:
            http = library.AsyncClient(base_url=server.url)
            async with warm(http) as client:
                assert await transport_of(client).wait_warm()
                server.hang_up_next = 1
                with pytest.raises(library.RemoteProtocolError):
                    await client.post(path, json={"answer": 1})
                assert len(server.asked(path)) == 1
            await http.aclose()

    asyncio.run(main())


def test_unless_its_owner_says_that_it_talks_to_a_language_model(library):
    async def main():
        async with LlmServer() as server:
            http = library.AsyncClient(base_url=server.url)
            async with warm(http, settings=WarmSettings(repeat_generations=True)) as client:
                assert await transport_of(client).wait_warm()
                server.hang_up_next = 1
                assert (await client.post("/chat/completions", json={})).status_code == 200
                assert len(server.asked("/completions")) == 2
            await http.aclose()

    asyncio.run(main())


def test_mounts_and_proxies_of_other_hosts_are_kept(library):
    async def main():
        async with LlmServer() as home, LlmServer() as proxy:
            through = library.AsyncHTTPTransport(proxy=f"http://127.0.0.1:{proxy.port}")
            mock = library.MockTransport(lambda _: library.Response(418))
            mounts = {"http://away.invalid": through, "http://mock.invalid": mock, "http://127.0.0.1": None}
            http = library.AsyncClient(base_url=home.url, mounts=mounts)
            async with warm(http) as client:
                assert await transport_of(client).wait_warm()
                assert (await client.get("http://away.invalid/v1/models")).status_code == 200
                assert transport_of(client).recent[-1].tier == "plain"
                assert (await client.get("http://mock.invalid/")).status_code == 418
                assert (await client.get("/models")).status_code == 200
                assert transport_of(client).recent[-1].tier == "warm"
                assert [each.path for each in proxy.seen] == ["http://away.invalid/v1/models"]
            assert (await http.get("http://away.invalid/v1/models")).status_code == 200
            await http.aclose()

    asyncio.run(main())


def test_what_the_original_sends_past_the_proxy_of_its_home_goes_past_it(library):
    async def main():
        async with LlmServer() as direct, LlmServer() as proxy:
            through = library.AsyncHTTPTransport(proxy=f"http://127.0.0.1:{proxy.port}")
            http = library.AsyncClient(
                base_url="http://home.invalid/v1", mounts={"http://": through, "http://127.0.0.1": None}
            )
            async with warm(http) as client:
                assert await transport_of(client).wait_warm()
                assert (await client.get(direct.url + "/models")).status_code == 200
                assert (len(direct.seen), {each.path for each in proxy.seen}) == (1, {"http://home.invalid/v1/"})
            await http.aclose()

    asyncio.run(main())


def test_a_listener_that_fails_costs_nothing(library, warm_client, caplog):
    def fail(_):
        raise KeyError("words")

    async def main():
        async with LlmServer() as server, warm_client(library, server, on_request=fail) as client:
            assert await transport_of(client).wait_warm()
            server.flow.clear()
            stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
            async for _ in stream:
                break
            await stream.close()
            await settled(transport_of(client).origin)
            assert transport_of(client).snapshot()["counts"]["leased"] == 0
            server.flow.set()
            assert await ask(client) == "word0 word1 word2"

    asyncio.run(main())
    assert [each.message for each in caplog.records if "on_request" in each.message] == [
        "on_request failed: KeyError"
    ] * 2


def test_waiting_for_a_free_connection_ends_as_it_would(library):
    async def main():
        async with LlmServer() as server:
            server.speak.clear()
            limits, timeout = library.Limits(max_connections=1), library.Timeout(5, pool=0.1)
            http = library.AsyncClient(base_url=server.url, limits=limits, timeout=timeout)
            async with warm(http) as client:
                assert await transport_of(client).wait_warm()
                post = partial(client.post, "/chat/completions", json={})
                first = asyncio.create_task(post())
                await until(lambda: server.asked("/completions"))
                with pytest.raises(library.PoolTimeout):
                    await post()
                server.speak.set()
                assert (await first).status_code == 200
            await http.aclose()

    asyncio.run(main())


def test_requests_that_run_at_the_close_end_with_the_librarys_own_error(library):
    async def main():
        async with LlmServer() as server:
            server.speak.clear()
            limits = library.Limits(max_connections=1)
            http = library.AsyncClient(base_url=server.url, limits=limits)
            client = warm(http)
            assert await transport_of(client).wait_warm()
            asks = [asyncio.create_task(client.post("/chat/completions", json={})) for _ in range(3)]
            await until(lambda: server.asked("/completions"))
            await client.aclose()
            ends = await asyncio.gather(*asks, return_exceptions=True)
            assert all(isinstance(end, library.TransportError) for end in ends), ends
            await http.aclose()

    asyncio.run(main())


def test_a_synchronous_stream_outlives_its_client(library):
    with served() as server, library.Client() as http:
        client = warm(openai.OpenAI(base_url=server.url, api_key="k", http_client=http))
        server.run(server.flow.clear)
        stream = client.chat.completions.create(model="m", messages=HELLO, stream=True)
        next(iter(stream))
        client.close()
        stream.close()
        assert transport_of(client).spent.requests > 0


def test_after_the_close_the_cost_stands_and_nothing_begins_again(library):
    async def main():
        async with LlmServer() as server:
            http = library.AsyncClient()
            client = warm(openai.AsyncOpenAI(base_url=server.url, api_key="k", http_client=http))
            transport = transport_of(client)
            assert await transport.wait_warm()
            await client.close()
            assert transport.spent.requests == 2
            await transport.rewarm()
            assert not await transport.wait_warm()
            assert (transport.snapshot(), server.connections) == (None, 2)
            await http.aclose()
        return transport

    assert asyncio.run(main()).spent.requests == 2
