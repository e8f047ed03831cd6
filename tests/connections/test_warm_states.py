"""Every state in which a request finds its connection, with the real SDK over real sockets."""

from __future__ import annotations

import asyncio

import openai
import pytest

from tests.connections.conftest import HELLO, ask, settled, until
from tests.connections.llm_server import LlmServer
from warmline.connections.http import transport_of

ANSWER = "word0 word1 word2"


def last(client):
    return transport_of(client).recent[-1]


async def asked(client):
    """One completion, after which its phases are on record (an SDK that leaves early does not wait for the end)."""
    before = len(transport_of(client).recent)
    answer = await ask(client)
    await until(lambda: len(transport_of(client).recent) > before)
    return answer


def test_the_first_and_the_second_request_are_warm(library, warm_client):
    async def main():
        # The rest of a body may take its time here: this is not about the one that comes too late.
        async with LlmServer() as server, warm_client(library, server, drain_ms=10_000) as client:
            assert await transport_of(client).wait_warm()
            assert (server.connections, len(server.asked("/models"))) == (2, 2)
            assert len({each.connection for each in server.seen}) == 2, "each connection was proven"
            for _ in range(2):
                assert await asked(client) == ANSWER
                phases = last(client)
                assert (phases.tier, phases.reused, phases.sends, phases.status) == ("warm", True, 1, 200)
                assert phases.tcp_ms == phases.tls_ms == phases.dns_ms == 0
                assert phases.waited_ms <= phases.sent_at_ms <= phases.headers_at_ms <= phases.first_byte_at_ms
                await settled(transport_of(client).origin)
            first, second = server.asked("/completions")
            assert first.connection == second.connection, "the one that has carried more goes first"

    asyncio.run(main())


def test_a_request_that_comes_before_anything_is_proven_is_not_held_up(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            server.prove.clear()
            await until(lambda: len(server.asked("/models")) == 2)
            assert await asked(client) == ANSWER
            assert last(client).tier == "cold"
            (sent,) = server.asked("/completions")
            first = next(each for each in server.seen if each.connection == sent.connection)
            assert first is sent, "on one that is handed over as soon as it is open"
            server.prove.set()

    asyncio.run(main())


def test_who_waits_for_a_connection_pays_for_no_proof(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server, floor=0) as client:
            assert await asked(client) == ANSWER
            phases = last(client)
            assert (phases.tier, phases.joined, phases.reused) == ("cold", False, False)
            assert phases.tcp_ms > 0
            assert [each.method for each in server.seen] == ["POST"], "the request is the proof"

    asyncio.run(main())


def test_what_the_server_closed_while_idle_is_replaced_before_the_next_turn(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            transport = transport_of(client)
            await transport.wait_warm()
            server.drop_idle()
            await until(lambda: server.connections == 4)
            await transport.wait_warm()
            assert await asked(client) == ANSWER
            assert (last(client).tier, last(client).sends) == ("warm", 1)
            assert transport.snapshot()["closed"]["died"] == 2

    asyncio.run(main())


def test_bytes_that_nobody_asked_for_end_a_connection(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            await transport_of(client).wait_warm()
            server.say_unasked(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
            await until(lambda: transport_of(client).snapshot()["closed"]["died"] == 2)
            assert await asked(client) == ANSWER

    asyncio.run(main())


def test_close_race_is_sent_once_more_over_another_connection(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            await transport_of(client).wait_warm()
            server.hang_up_next = 1
            assert await asked(client) == ANSWER
            assert (last(client).sends, last(client).tier) == (2, "warm")
            first, second = server.asked("/completions")
            assert first.connection != second.connection
            assert first.body == second.body

    asyncio.run(main())


@pytest.mark.parametrize(("fault", "sent"), [({"hang_up_next": 2}, 2), ({"half_answer_next": 1}, 1)])
def test_no_third_send_and_none_after_a_byte_of_an_answer(library, warm_client, fault, sent):
    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            await transport_of(client).wait_warm()
            vars(server).update(fault)
            with pytest.raises(openai.APIConnectionError):
                await ask(client)
            assert len(server.asked("/completions")) == sent
            assert await asked(client) == ANSWER, "and the next is served"

    asyncio.run(main())


def test_only_what_may_be_repeated_is(library, warm_client):
    async def body():
        yield b'{"stream": false}'

    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            await transport_of(client).wait_warm()
            http = client._client
            for path, content, sends in [
                ("/chat/completions", b"{}", 2),
                ("/chat/completions", body(), 1),
                ("/fine_tuning/jobs", b"{}", 1),
            ]:
                await settled(transport_of(client).origin)
                assert await transport_of(client).wait_warm()
                server.hang_up_next, server.seen = 1, []
                if sends == 2:
                    assert (await http.post(server.url + path, content=content)).status_code == 200
                else:
                    with pytest.raises(library.RemoteProtocolError):
                        await http.post(server.url + path, content=content)
                assert len(server.asked(path)) == sends
            await settled(transport_of(client).origin)
            server.hang_up_next = 1
            keyed = await http.post(server.url + "/fine_tuning/jobs", content=b"{}", headers={"Idempotency-Key": "1"})
            assert keyed.status_code == 200

    asyncio.run(main())


def test_after_a_barge_in_the_next_request_is_warm(library, warm_client):
    """By `close()`, and by the cancellation of the task that reads."""

    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            origin = transport_of(client).origin
            await origin.wait_warm()
            server.flow.clear()
            stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
            async for _ in stream:
                break
            await stream.close()
            reader = asyncio.create_task(ask(client))
            await until(lambda: len(server.asked("/completions")) == 2)
            await asyncio.sleep(0.02)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            await settled(origin)
            server.flow.set()
            assert await origin.wait_warm(timeout=5)
            assert await asked(client) == ANSWER
            assert last(client).tier == "warm"
            closed = origin.snapshot()["closed"]
            assert closed["broken"] == 2, closed

    asyncio.run(main())


@pytest.mark.parametrize(("floor", "warm"), [(5, 5), (2, 2)])
def test_a_burst_of_five(library, warm_client, floor, warm):
    async def main():
        async with LlmServer() as server, warm_client(library, server, floor=floor) as client:
            await transport_of(client).wait_warm()
            server.flow.clear()
            asks = [asyncio.create_task(ask(client)) for _ in range(5)]
            await until(lambda: len(server.asked("/completions")) == 5)
            server.flow.set()
            assert await asyncio.gather(*asks) == [ANSWER] * 5
            tiers = [phases.tier for phases in transport_of(client).recent]
            assert tiers.count("warm") >= warm, "the others may have waited for what was being opened"
            assert len({each.connection for each in server.asked("/completions")}) == 5

    asyncio.run(main())


def test_a_reader_that_leaves_at_done_keeps_the_connection(library, warm_client):
    """As SDK 2.7 to 3.29 do; the last chunk comes a little later."""

    async def main():
        async with (
            LlmServer(terminator_after_sec=0.01) as server,
            warm_client(library, server, drain_ms=5000) as client,
        ):
            origin = transport_of(client).origin
            await origin.wait_warm()
            for _ in range(3):
                url, json = server.url + "/chat/completions", {"stream": True, "padding": "x" * 2000}
                async with client._client.stream("POST", url, json=json) as response:
                    async for line in response.aiter_lines():
                        if "[DONE]" in line:
                            break
                await settled(origin)
            assert len({each.connection for each in server.asked("/completions")}) == 1
            assert sum(origin.snapshot()["closed"].values()) == 0

    asyncio.run(main())


def test_cancelled_at_every_await_nothing_is_lost(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server) as client:
            origin = transport_of(client).origin
            await origin.wait_warm()
            finished = 0
            for steps in range(0, 400, 3):
                task = asyncio.create_task(ask(client))
                for _ in range(steps):
                    await asyncio.sleep(0)
                finished += task.done()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await settled(origin)
                assert origin.snapshot()["counts"]["leased"] == 0
                origin.pool.check_invariants()
                if finished > 3:
                    break
            assert finished > 3, "the grid reaches past the end of a request"
            assert await asked(client) == ANSWER

    asyncio.run(main())
