"""Bad input and rude callers: every one gets its answer, and the server is afterwards as it was."""

import asyncio
import contextlib
import gc
import json
import os
import subprocess
import sys
import threading

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.agent.served import FRAME, Served, closed_with, events_until, served
from tests.processes import children, open_fds, resident_mb, threads
from tests.shared_cache import shared_cache
from warmline.events import CallEnded, CallStarted

BAD_FRAMES = [
    (b"\x00" * 641, 1003),
    ("this is no JSON", 1007),
    ("[1, 2]", 1007),
    ('{"type": "dance"}', 1008),
    ("{}", 1008),
    (bytes(64 * 1024 + 2), 1009),
    (json.dumps({"type": "bye", "padding": "x" * 70_000}), 1009),
]


def test_bad_input_gets_an_error_and_its_close_code_and_the_server_lives(tmp_path):
    async def scenario():
        async with served(tmp_path, max_calls=2) as agent:
            for frame, code in BAD_FRAMES:
                async with agent.call() as call:
                    await events_until(call, "ready")
                    await call.send(FRAME)
                    await call.send(frame)
                    closed, errors = await closed_with(call)
                    assert closed == code, frame[:20]
                    assert [error["code"] for error in errors] == [code]
            await second_hello(agent)
            await late_hello(agent)
            await bye(agent)
            await busy(agent)
            await refused_headers(agent)
            async with agent.call() as call:
                await events_until(call, "bot_started", turn=0)

    asyncio.run(scenario())


async def second_hello(agent):
    async with agent.call() as call:
        await call.send('{"type":"hello"}')
        await events_until(call, "ready")
        await call.send('{"type":"hello"}')
        code, errors = await closed_with(call)
        assert code == 1008
        assert [error["code"] for error in errors] == [1008]


async def late_hello(agent):
    async with agent.call() as call:
        await call.send(FRAME)
        await call.send('{"type":"hello"}')
        assert (await closed_with(call))[0] == 1008


async def bye(agent):
    async with agent.call() as call:
        await events_until(call, "bot_started", turn=0)
        await call.send('{"type":"bye"}')
        assert await closed_with(call) == (1000, [])


async def busy(agent):
    async with agent.call() as first, agent.call() as second:
        await events_until(first, "ready")
        await events_until(second, "ready")
        async with agent.call() as third:
            code, errors = await closed_with(third)
        assert code == 1013
        assert errors[0]["reason"] == "all lines are busy"
    await all_over(agent)


async def all_over(agent):
    """A caller may have hung up a little before its line is free."""
    async with asyncio.timeout(20):
        while sum(type(event) is CallStarted for event in agent.events) > sum(
            type(event) is CallEnded for event in agent.events
        ):
            await asyncio.sleep(0.01)


async def refused_headers(agent):
    with pytest.raises(InvalidStatus) as refused:
        async with agent.call(origin="http://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    for path in ("/ws", "/"):
        assert await status_of(agent, path, host="evil.example") == 403
    assert await status_of(agent, "/", host=f"127.0.0.1:{agent.port}") == 200
    async with agent.call(origin=f"http://127.0.0.1:{agent.port}") as call:
        await events_until(call, "ready")


async def status_of(agent, path, host):
    """The HTTP status of a request with this Host; on `/ws` of one that asks for the upgrade."""
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    reader, writer = await asyncio.open_connection(agent.host, agent.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{upgrade if path == '/ws' else ''}\r\n".encode())
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


def test_a_caller_who_says_nothing_is_told_so_and_let_go(tmp_path):
    async def scenario():
        async with served(tmp_path, idle_timeout_sec=0.5) as agent, agent.call() as call:
            code, errors = await closed_with(call)
        assert code == 1000
        assert [(error["code"], error["reason"]) for error in errors] == [(1000, "idle")]

    asyncio.run(scenario())


def test_where_a_token_is_owed_nothing_comes_before_it(tmp_path):
    async def scenario():
        async with served(tmp_path, token="a-long-enough-token") as agent:
            async with agent.call() as call:
                await call.send('{"type":"hello","ticket":"a-long-enough-token"}')
                assert (await events_until(call, "bot_started", turn=0))[0]["type"] == "ready"
            for first in ('{"type":"hello","ticket":"wrong"}', '{"type":"hello"}', FRAME):
                async with agent.call() as call:
                    await call.send(first)
                    assert json.loads(await call.recv())["type"] == "error"
                    assert (await closed_with(call))[0] == 1008

    asyncio.run(scenario())


def test_rude_callers_leave_no_task_behind(tmp_path):
    async def scenario():
        async with served(tmp_path) as agent:
            await some_calls(agent)
            before = await settled(tasks_and_threads)
            await rude_calls(agent, 200)
            await some_calls(agent)
            await settled(tasks_and_threads, at_most=before)

    asyncio.run(scenario())


def test_a_thousand_rude_callers_leave_nothing_behind(tmp_path):
    async def scenario():
        with a_server(tmp_path) as (agent, pid):
            await asyncio.gather(*(some_calls(agent) for _ in range(4)))
            # The allocator keeps what calls take at their height on all lines; it must not be more with every call.
            await rude_calls(agent, 300)

            def level():
                return threads(pid), open_fds(pid), len(children(pid))

            before = await settled(level)
            memory_before_mb = resident_mb(pid)
            await rude_calls(agent, 1000)
            await some_calls(agent)
            await settled(level, at_most=before)
            assert resident_mb(pid) - memory_before_mb < 10

    asyncio.run(scenario())


def tasks_and_threads():
    gc.collect()
    return len(asyncio.all_tasks()), threading.active_count(), open_fds(), len(children())


@contextlib.contextmanager
def a_server(tmp_path):
    """`warmline serve` as a process of its own, until it says where it listens."""
    environment = {**os.environ, "WARMLINE_CACHE_DIR": str(shared_cache(tmp_path))}
    command = [sys.executable, "-m", "warmline", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            line = next(line for line in process.stdout if "Call it:" in line)
            yield Served("127.0.0.1", int(line.rstrip("/\n").rpartition(":")[2]), []), process.pid
        finally:
            process.terminate()
            process.communicate(timeout=20)
    assert process.returncode == 0


async def rude_calls(agent, count):
    for _ in range(count // 20):
        await asyncio.gather(*(drop(agent, how) for how in range(20)))


async def some_calls(agent):
    for _ in range(3):
        async with agent.call() as call:
            await events_until(call, "bot_started", turn=0)
            await call.send('{"type":"bye"}')
            await closed_with(call)


async def drop(agent, how):
    """Connect and vanish: at once, after a frame, in the middle of a word, after the first event; never politely."""
    with contextlib.suppress(ConnectionClosed):  # all lines may be busy
        await _vanish(agent, how)


async def _vanish(agent, how):
    async with agent.call() as call:
        if how % 4 >= 1:
            await call.send(FRAME)
        if how % 4 >= 2:
            await call.send(bytes(64_000))
        if how % 4 == 3:
            await call.recv()
        call.transport.abort()


async def settled(level, at_most=None):
    """What `level` counts, once it stops changing and each of it is back at most at `at_most`; fails after 30 s."""
    before = None
    async with asyncio.timeout(30):
        while True:
            now = level()
            if now == before and (at_most is None or all(a <= b for a, b in zip(now, at_most, strict=True))):
                return now
            before = now
            await asyncio.sleep(0.25)


def test_a_caller_who_never_reads_is_let_go(tmp_path):
    async def scenario():
        async with served(tmp_path, idle_timeout_sec=0.5) as agent:
            before = len(agent.events)
            async with agent.call(max_queue=1) as call:
                call.transport.pause_reading()
                async with asyncio.timeout(20):
                    while not any(isinstance(event, CallEnded) for event in agent.events[before:]):
                        await asyncio.sleep(0.05)
                call.transport.abort()

    asyncio.run(scenario())
