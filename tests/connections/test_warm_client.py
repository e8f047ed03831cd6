"""`warm(client)`: what it takes, what it copies, what it leaves behind."""

from __future__ import annotations

import asyncio
import gc

import openai
import pytest

from tests.connections.conftest import ask, until
from tests.connections.llm_server import LlmServer
from tests.processes import open_fds
from warmline.connections.http import WarmSettings, transport_of, warm
from warmline.errors import ConfigError


def test_the_original_is_left_alone(library):
    async def main():
        async with LlmServer() as server:
            http = library.AsyncClient(headers={"x-mine": "1"}, timeout=7, follow_redirects=True)
            transport = http._transport
            original = openai.AsyncOpenAI(base_url=server.url, api_key="k", http_client=http, timeout=5, max_retries=4)
            async with warm(original) as client:
                assert type(client) is type(original)
                assert client is not original
                assert client._client is not http
                assert (client.api_key, client.max_retries, client.base_url) == ("k", 4, original.base_url)
                assert client.timeout == 5, "not the 600 s by which the SDK replaces what equals httpx's default"
                assert client._client.headers["x-mine"] == "1"
                await ask(client)
            assert http._transport is transport
            assert not http.is_closed
            assert await ask(original) == "word0 word1 word2"
            await original.close()

    asyncio.run(main())


def test_nothing_is_left_when_it_is_closed(library, warm_client):
    async def use(server):
        async with warm_client(library, server) as client:
            await transport_of(client).wait_warm()
            await ask(client)

    async def main():
        async with LlmServer() as server:
            await use(server)
            gc.collect()
            await until(lambda: server.open == 0)
            before = open_fds()
            for _ in range(3):
                await use(server)
            await until(lambda: server.open == 0)
            assert open_fds() <= before
            names = sorted(task.get_name() for task in asyncio.all_tasks())
            assert len(names) == 1, names

    asyncio.run(main())


def test_clients_of_one_loop_share_the_connections_of_an_origin(library):
    async def main():
        async with LlmServer() as server:
            http = library.AsyncClient()
            original = openai.AsyncOpenAI(base_url=server.url, api_key="k", http_client=http)
            one, two = warm(original), warm(original)
            assert await transport_of(one).wait_warm()
            assert await transport_of(two).wait_warm()
            assert server.connections == 2
            await one.close()
            assert await ask(two) == "word0 word1 word2"
            assert server.open >= 2
            await two.close()
            await until(lambda: server.open == 0)
            await original.close()

    asyncio.run(main())


def test_other_settings_and_other_trust_share_nothing(library, server_tls, client_tls):
    async def main():
        async with LlmServer(tls=server_tls) as server:
            trusting = openai.AsyncOpenAI(
                base_url=server.url, api_key="k", max_retries=0, http_client=library.AsyncClient(verify=client_tls)
            )
            other = trusting.copy(http_client=library.AsyncClient())
            async with warm(trusting) as yes, warm(other) as no:
                assert await transport_of(yes).wait_warm()
                assert await ask(yes) == "word0 word1 word2"
                with pytest.raises(openai.APIConnectionError):
                    await ask(no)
            await trusting.close()
            await other.close()

    asyncio.run(main())


def test_tls_is_paid_before_the_turn(library, warm_client, server_tls, client_tls):
    async def main():
        async with LlmServer(tls=server_tls) as server, warm_client(library, server, verify=client_tls) as client:
            await transport_of(client).wait_warm()
            await ask(client)
            phases = transport_of(client).recent[-1]
            assert (phases.tls_ms, phases.reused) == (0, True)
            origin = transport_of(client).origin
            assert all(connection.opened.tls_ms > 0 for connection in origin._connections)

    asyncio.run(main())


def test_it_works_on_one_loop_after_another(library):
    async def use(client, server_port):
        async with LlmServer(port=server_port) as server:
            assert await ask(client) == "word0 word1 word2"
            await transport_of(client).aclose()
            return server.port

    original = openai.AsyncOpenAI(base_url="http://127.0.0.1:1/v1", api_key="k", max_retries=0)

    async def port():
        async with LlmServer() as server:
            return server.port

    at = asyncio.run(port())
    client = warm(original.copy(base_url=f"http://127.0.0.1:{at}/v1", http_client=library.AsyncClient()))
    for _ in range(2):
        asyncio.run(use(client, at))


def test_a_wrong_key_is_reported_as_what_it_is(library, warm_client, caplog):
    async def main():
        async with LlmServer(model_status=401) as server, warm_client(library, server) as client:
            assert await transport_of(client).wait_warm(), "the connection stands all the same"
            assert transport_of(client).refused_status == 401
            with pytest.raises(openai.AuthenticationError):
                await ask(client)

    asyncio.run(main())
    assert [record.message for record in caplog.records if "refused" in record.message] == [
        "[127.0.0.1] connected, but the warm-up request was refused: HTTP 401"
    ]
    assert "sk-test" not in caplog.text


def test_a_server_that_is_down_is_an_error_of_the_clients_own_library_and_comes_back(library, warm_client):
    async def main():
        async with LlmServer() as server:
            port = server.port
        down = LlmServer(port=port)
        async with warm_client(library, down) as client:
            assert not await transport_of(client).wait_warm(timeout=0.05)
            with pytest.raises(openai.APIConnectionError) as caught:
                await ask(client)
            assert isinstance(caught.value.__cause__, library.ConnectError)
            async with down:
                assert await transport_of(client).wait_warm(timeout=15)
                assert await ask(client) == "word0 word1 word2"

    asyncio.run(main())


def test_a_plain_http_client(library):
    async def main():
        async with LlmServer() as server:
            original = library.AsyncClient(base_url=server.url)
            async with warm(original) as client:
                assert await transport_of(client).wait_warm()
                assert {each.method for each in server.seen} == {"HEAD"}
                assert (await client.post("/chat/completions", json={})).status_code == 200
                phases = transport_of(client).recent[-1]
                assert (phases.tier, phases.status) == ("warm", 200)
            await original.aclose()

    asyncio.run(main())


def test_other_origins_are_timed_and_not_kept(library):
    async def main():
        async with LlmServer() as home, LlmServer() as away:
            original = library.AsyncClient(base_url=home.url)
            async with warm(original) as client:
                await transport_of(client).wait_warm()
                for reused in (False, True):
                    response = await client.get(away.url + "/models")
                    assert response.json()["object"] == "list"
                    phases = transport_of(client).recent[-1]
                    assert (phases.tier, phases.reused, phases.tcp_ms > 0) == ("plain", reused, not reused)
                assert away.connections == 1
            await until(lambda: away.open == 0)
            await original.aclose()

    asyncio.run(main())


def test_every_idle_connection_is_touched(library, warm_client):
    async def main():
        knobs = {"touch_interval_sec": 0.1, "floor": 3}
        async with LlmServer() as server, warm_client(library, server, **knobs) as client:
            await transport_of(client).wait_warm()
            await until(lambda: len(server.seen) >= 12)
            touches = {number: [s for s in server.seen if s.connection == number] for number in (1, 2, 3)}
            assert all(len(each) >= 2 for each in touches.values()), "not one connection again and again"
            assert server.connections == 3
            assert transport_of(client).spent.requests >= 12

    asyncio.run(main())


def test_rewarm_proves_again_what_is_older(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            transport = transport_of(client)
            await transport.wait_warm()
            await transport.rewarm(older_than_sec=60)
            await asyncio.sleep(0.05)
            assert len(server.seen) == 2
            await transport.rewarm(older_than_sec=0)
            await until(lambda: len(server.seen) == 4)
            assert sorted(each.connection for each in server.seen[2:]) == [1, 2]

    asyncio.run(main())


def test_a_limit_on_connections_is_kept(library):
    async def main():
        async with LlmServer() as server:
            http = library.AsyncClient(base_url=server.url, limits=library.Limits(max_connections=1))
            async with warm(http, settings=WarmSettings(floor=2)) as client:
                await transport_of(client).wait_warm(1)
                answers = await asyncio.gather(*(client.post("/chat/completions", json={}) for _ in range(4)))
                assert [each.status_code for each in answers] == [200] * 4
                assert server.connections == 1
            await http.aclose()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda lib: object(), "no client of the type object"),
        (lambda lib: lib.AsyncClient(), "needs url="),
        (
            lambda lib: lib.AsyncClient(base_url="http://x", transport=lib.MockTransport(lambda _: None)),
            "MockTransport",
        ),
    ],
)
def test_what_cannot_be_kept_warm_is_refused(library, make, says):
    with pytest.raises(ConfigError, match=says):
        warm(make(library))


def test_the_sdk_needs_no_thread_for_the_first_requests(library, warm_client, monkeypatch: pytest.MonkeyPatch):
    asked: list[None] = []
    named = openai._base_client.get_platform

    def counted():
        asked.append(None)
        return named()

    monkeypatch.setattr(openai._base_client, "get_platform", counted)

    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            assert await transport_of(client).wait_warm()
            before = len(asked)
            answers = await asyncio.gather(*(ask(client) for _ in range(5)))
            assert answers == ["word0 word1 word2"] * 5
            assert before > 0
            assert len(asked) == before

    asyncio.run(main())
