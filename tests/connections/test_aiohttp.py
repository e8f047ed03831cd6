"""The same states for aiohttp."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.connections.conftest import settled, until
from tests.connections.llm_server import LlmServer
from warmline.connections.http import WarmSettings, transport_of, warm
from warmline.errors import ConfigError
from warmline.testing import check_invariants

PATH = "/v1/chat/completions"
STREAM = {"stream": True, "padding": "x" * 500}


@asynccontextmanager
async def warm_session(server, ssl=True, **settings):
    base = server.url.removesuffix("/v1")
    async with aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(ssl=ssl)) as original:
        session = warm(original, settings=WarmSettings(**settings))
        connector = transport_of(session)
        async with session:
            yield session
            await settled(connector.origin)
            check_invariants(connector.origin.pool)
            assert connector.snapshot()["counts"]["leased"] == 0
        check_invariants(connector.origin.pool)
        assert not original.closed


async def ask(session):
    async with session.post(PATH, json=STREAM) as response:
        return (await response.text()).count("word")


def test_the_first_and_the_second_request_are_warm():
    async def main():
        async with LlmServer() as server, warm_session(server) as session:
            assert await transport_of(session).wait_warm()
            assert (server.connections, {each.method for each in server.seen}) == (2, {"HEAD"})
            for _ in range(2):
                assert await ask(session) == 3
            assert [(each.tier, each.reused, each.status) for each in transport_of(session).recent] == [
                ("warm", True, 200)
            ] * 2
            assert len({each.connection for each in server.asked("/completions")}) == 1

    asyncio.run(main())


def test_tls_and_a_request_that_comes_before_anything_is_proven(server_tls, client_tls):
    async def main():
        async with LlmServer(tls=server_tls) as server, warm_session(server, ssl=client_tls) as session:
            server.prove.clear()
            await until(lambda: len(server.seen) == 2)
            assert await ask(session) == 3
            phases = transport_of(session).recent[-1]
            assert (phases.tier, phases.tcp_ms > 0) == ("cold", True)
            server.prove.set()

    asyncio.run(main())


def test_who_waits_for_a_connection_pays_for_no_proof():
    async def main():
        async with LlmServer() as server, warm_session(server, floor=0) as session:
            assert await ask(session) == 3
            assert [each.method for each in server.seen] == ["POST"]
            assert transport_of(session).recent[-1].tier == "cold"

    asyncio.run(main())


def test_what_the_server_closed_is_replaced_and_a_close_race_is_sent_again():
    async def main():
        async with LlmServer() as server, warm_session(server, repeat_generations=True) as session:
            connector = transport_of(session)
            await connector.wait_warm()
            server.drop_idle()
            await until(lambda: server.connections == 4)
            await connector.wait_warm()
            server.hang_up_next = 1
            assert await ask(session) == 3
            assert (connector.recent[-1].sends, connector.recent[-1].tier) == (2, "warm")
            server.hang_up_next = 2
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await ask(session)
            server.half_answer_next = 1
            with pytest.raises(aiohttp.ClientError):
                await ask(session)
            assert len(server.asked("/completions")) == 5
            assert await ask(session) == 3

    asyncio.run(main())


def test_after_a_barge_in_the_next_request_is_warm():
    async def main():
        async with LlmServer() as server, warm_session(server) as session:
            connector = transport_of(session)
            await connector.wait_warm()
            server.flow.clear()
            async with session.post(PATH, json=STREAM) as response:
                await response.content.readany()
            asking = asyncio.create_task(ask(session))
            await until(lambda: len(server.asked("/completions")) == 2)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await settled(connector.origin)
            server.flow.set()
            assert await connector.wait_warm()
            assert await ask(session) == 3
            assert connector.recent[-1].tier == "warm"

    asyncio.run(main())


def test_a_reader_that_leaves_at_done_keeps_the_connection():
    async def main():
        async with LlmServer(terminator_after_sec=0.01) as server, warm_session(server, drain_ms=5000) as session:
            connector = transport_of(session)
            await connector.wait_warm()
            for _ in range(3):
                async with session.post(PATH, json=STREAM) as response:
                    async for line in response.content:
                        if b"[DONE]" in line:
                            break
                await settled(connector.origin)
            assert len({each.connection for each in server.asked("/completions")}) == 1

    asyncio.run(main())


def test_a_burst_of_five_touches_and_unasked_bytes():
    async def main():
        async with LlmServer() as server, warm_session(server, floor=5, touch_interval_sec=0.1) as session:
            connector = transport_of(session)
            await connector.wait_warm()
            assert await asyncio.gather(*(ask(session) for _ in range(5))) == [3] * 5
            assert [each.tier for each in connector.recent] == ["warm"] * 5
            seen = len(server.seen)
            await until(lambda: len({each.connection for each in server.seen[seen:]}) >= 5)
            server.say_unasked(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
            await until(lambda: connector.snapshot()["closed"]["died"] >= 5)
            assert await ask(session) == 3

    asyncio.run(main())


def test_cancelled_at_every_await_nothing_is_lost():
    async def main():
        async with LlmServer() as server, warm_session(server) as session:
            connector = transport_of(session)
            await connector.wait_warm()
            finished = 0
            for steps in range(0, 400, 2):
                task = asyncio.create_task(ask(session))
                for _ in range(steps):
                    await asyncio.sleep(0)
                finished += task.done()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await settled(connector.origin)
                assert connector.snapshot()["counts"]["leased"] == 0
                if finished > 3:
                    break
            assert finished > 3
            assert await ask(session) == 3

    asyncio.run(main())


def test_other_origins_go_where_a_tcp_connector_would_take_them():
    async def main():
        async with LlmServer() as home, LlmServer() as away, warm_session(home) as session:
            for _ in range(2):
                async with session.get(away.url + "/models") as response:
                    assert response.status == 200
            assert away.connections == 1

    asyncio.run(main())


def test_a_server_that_is_down_comes_back():
    async def main():
        async with LlmServer() as server:
            port = server.port
        down = LlmServer(port=port)
        async with warm_session(down) as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await ask(session)
            async with down:
                assert await transport_of(session).wait_warm(timeout=15)
                assert await ask(session) == 3

    asyncio.run(main())


def test_what_cannot_be_kept_warm_is_refused():
    async def main():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(ConfigError, match="needs url="):
                warm(session)
        async with aiohttp.ClientSession("http://x", connector=aiohttp.UnixConnector("/x")) as session:
            with pytest.raises(ConfigError, match="UnixConnector"):
                warm(session)

    asyncio.run(main())


def test_the_address_to_call_from_is_kept():
    async def main():
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.3", 0))
        async with (
            LlmServer() as server,
            aiohttp.ClientSession(server.url + "/", connector=connector) as original,
            warm(original) as session,
        ):
            assert await transport_of(session).wait_warm()
            assert {writer.get_extra_info("peername")[0] for writer in server._writers} == {"127.0.0.3"}

    asyncio.run(main())


def test_a_proxy_or_a_connector_that_keeps_nothing_is_refused(monkeypatch):
    async def refused(says, **options):
        async with aiohttp.ClientSession("http://10.0.0.1", **options) as session:
            with pytest.raises(ConfigError, match=says):
                warm(session)

    async def main():
        await refused("with a proxy", proxy="http://127.0.0.1:9")
        await refused("force_close", connector=aiohttp.TCPConnector(force_close=True))
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "")
        await refused("with a proxy", trust_env=True)

    asyncio.run(main())
