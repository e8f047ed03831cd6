"""Synchronous clients: the same warmth, on one loop thread for all of them."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import openai
import pytest

from tests.connections.conftest import HELLO
from tests.connections.llm_server import LlmServer
from warmline.connections.http import transport_of, warm


@contextmanager
def served(**knobs):
    """An `LlmServer` in a thread of its own."""
    loop, server = asyncio.new_event_loop(), LlmServer(**knobs)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    run(server.__aenter__())
    server.run = lambda call: run(_in_loop(call))
    try:
        yield server
    finally:
        run(server.__aexit__())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _in_loop(call):
    return call()


def loop_threads():
    return [thread for thread in threading.enumerate() if thread.name == "warmline-connections"]


def ask(client):
    stream = client.chat.completions.create(model="m", messages=HELLO, stream=True)
    return "".join(chunk.choices[0].delta.content for chunk in stream).strip()


def sdk(library, server):
    return openai.OpenAI(base_url=server.url, api_key="k", max_retries=0, http_client=library.Client())


def test_the_first_request_is_warm(library):
    with served() as server, sdk(library, server) as original:
        with warm(original) as client:
            assert transport_of(client).wait_warm()
            assert (server.connections, len(server.asked("/models"))) == (2, 2)
            for _ in range(2):
                assert ask(client) == "word0 word1 word2"
            assert [each.tier for each in transport_of(client).recent] == ["warm"] * 2
            assert transport_of(client).snapshot()["counts"]["leased"] == 0
            assert len(loop_threads()) == 1
        assert loop_threads() == []
        assert ask(original) == "word0 word1 word2"


def test_a_reader_that_leaves_and_one_that_raises(library):
    with served() as server, sdk(library, server) as original, warm(original) as client:
        transport = transport_of(client)
        transport.wait_warm()
        server.run(server.flow.clear)
        stream = client.chat.completions.create(model="m", messages=HELLO, stream=True)
        next(iter(stream))
        stream.close()
        server.run(server.flow.set)
        assert ask(client) == "word0 word1 word2"
        assert transport.recent[-1].tier == "warm"


def test_many_threads(library):
    with served() as server, sdk(library, server) as original, warm(original) as client:
        transport_of(client).wait_warm()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ask(client))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == ["word0 word1 word2"] * 8
        assert transport_of(client).snapshot()["counts"]["leased"] == 0


def test_all_share_one_thread_and_the_last_ends_it(library):
    with served() as server, sdk(library, server) as original:
        one, two = warm(original), warm(original)
        assert transport_of(one).wait_warm()
        assert transport_of(two).wait_warm()
        assert server.connections == 2
        one.close()
        one.close()
        assert ask(two) == "word0 word1 word2"
        assert len(loop_threads()) == 1
        two.close()
        assert loop_threads() == []
        with pytest.raises(Exception, match=r"closed|Connection error"):
            ask(one)


def test_a_plain_sync_client_sends_an_iterator(library):
    with served() as server, library.Client(base_url=server.url) as original, warm(original) as client:
        assert transport_of(client).wait_warm()
        assert client.post("/chat/completions", content=iter([b"{", b"}"])).status_code == 200
        assert server.asked("/completions")[0].body == b"{}"
