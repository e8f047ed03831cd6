"""What Kubernetes does to the real server: probes from the first moment to the drain."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace

from tests.agent.served import Served, closed_with, events_until, served
from tests.health.probing import ask, probe
from tests.shared_cache import shared_cache
from warmline.agent.warm_start import WarmStart
from warmline.engines import ear_hooks
from warmline.errors import EngineError
from warmline.events import WarmUpFinished
from warmline.health import Drain


@contextlib.contextmanager
def process(tmp_path, *arguments):
    """`warmline serve` on a port that is known before it starts; what it printed is at `.printed` afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "WARMLINE_CACHE_DIR": str(shared_cache(tmp_path))}
    command = [sys.executable, "-m", "warmline", "serve", "--port", str(port), *arguments]
    started = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield started, Served("127.0.0.1", port, [])
    finally:
        started.kill()
        started.communicate()


def answers(port, path):
    """None until the port is served."""
    try:
        return ask(port, path)
    except OSError:
        return None


def until_ready(server, port):
    """What /readyz said on the way."""
    seen = []
    while (answer := answers(port, "/readyz")) is None or answer[0] != 200:
        assert server.poll() is None
        if answer is not None:
            seen.append(answer)
            assert ask(port, "/livez") == (200, {"status": "live"})
        time.sleep(0.02)
    return seen, answer


def test_a_start_is_live_before_it_is_ready_and_a_drain_lets_three_calls_finish(tmp_path):
    with process(tmp_path) as (server, agent):
        seen, ready = until_ready(server, agent.port)
        assert seen, "it was never seen starting"
        assert {(code, body["status"]) for code, body in seen} == {(503, "starting")}
        assert all(body["missing"] for _, body in seen)
        assert ready[1] == {"status": "ready", "missing": [], "degraded": []}
        assert ask(agent.port, "/startupz")[0] == 200
        assert ask(agent.port, "/warmz") == (403, "not from here")
        warmz = operations_of(server)
        assert warmz["warm_up"]["failed"] == warmz["warm_up"]["not_verified"] == []
        assert warmz["floors"].keys() == {"recogniser", "voice"}
        asyncio.run(three_calls_outlive_sigterm(server, agent))
        assert server.wait(30) == 0


def operations_of(server):
    """The detail, at the address that the server printed."""
    for line in server.stdout:
        if "its state: " in line:
            url = line.partition("its state: ")[2].strip(" )\n")
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)
    raise AssertionError("the address was not printed")


async def three_calls_outlive_sigterm(server, agent):
    async with agent.call() as one, agent.call() as two, agent.call() as three:
        for call in (one, two, three):
            await events_until(call, "bot_started", turn=0)
        server.send_signal(signal.SIGTERM)
        while (await probe(agent.port, "/readyz"))[0] == 200:
            await asyncio.sleep(0.01)
        assert (await probe(agent.port, "/readyz"))[1]["missing"] == ["draining"]
        assert (await probe(agent.port, "/livez"))[0] == 200
        async with agent.call() as late:
            code, errors = await closed_with(late)
        assert (code, errors[0]["reason"]) == (1013, "the server is shutting down")
        for call in (one, two, three):
            await events_until(call, "bot_stopped", turn=0)  # the greeting went on to its end
            await call.send('{"type":"bye"}')
            await call.wait_closed()
            assert call.close_code == 1000


def test_a_call_that_comes_before_the_server_is_ready_waits_and_is_greeted(tmp_path):
    async def call(agent):
        async with agent.call() as caller:
            events = await events_until(caller, "bot_started", turn=0)
            return [event["type"] for event in events]

    with process(tmp_path) as (server, agent):
        while answers(agent.port, "/livez") is None:
            assert server.poll() is None
            time.sleep(0.02)
        assert ask(agent.port, "/readyz")[0] == 503
        assert asyncio.run(call(agent)) == ["ready", "reply", "bot_started"]
        server.terminate()
        assert server.wait(30) == 0


def test_when_the_grace_is_over_a_turn_is_finished_and_the_line_closed_with_1001(tmp_path):
    async def scenario():
        drain = Drain(grace_sec=0)
        async with served(tmp_path, drain=drain) as agent, agent.call() as call:
            await events_until(call, "bot_started", turn=0)
            drain.begin()
            events = await events_until(call, "error")
            assert [event["type"] for event in events][-3:] == ["bot_stopped", "turn", "error"]
            assert not events[-3]["interrupted"]
            assert (events[-1]["code"], events[-1]["reason"]) == (1001, "the server is shutting down")
            await call.wait_closed()
            assert call.close_code == 1001

    asyncio.run(scenario())


def test_at_the_end_of_the_grace_a_caller_who_still_waits_for_a_part_is_let_go_at_once(tmp_path, monkeypatch):
    """Of a server that is not complete yet; there is no turn to finish."""
    asked = asyncio.Event()

    async def never(self):
        asked.set()
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(WarmStart, "kit", never)

    async def scenario():
        drain = Drain(grace_sec=0)
        async with served(tmp_path, drain=drain, until_ready=False, warm="none") as agent, agent.call() as call:
            await events_until(call, "ready")
            await asked.wait()
            drain.begin()
            code, errors = await closed_with(call)
            assert (code, [error["reason"] for error in errors]) == (1001, ["the server is shutting down"])
            await drain.empty()

    asyncio.run(scenario())


def test_a_burst_that_empties_the_floors_changes_nothing_and_a_gate_that_is_lost_does(tmp_path):
    async def scenario():
        is_open = True
        gates = {"credentials": lambda: is_open}
        async with served(tmp_path, gates=gates, spare_calls=1) as agent:
            assert (await probe(agent.port, "/readyz"))[1]["missing"] == []
            async with contextlib.AsyncExitStack() as calls:
                for _ in range(4):
                    call = await calls.enter_async_context(agent.call())
                    await events_until(call, "ready")
                    assert (await probe(agent.port, "/readyz"))[0] == 200
                is_open = False
                assert (await probe(agent.port, "/readyz"))[1]["missing"] == ["gate credentials"]
                assert (await probe(agent.port, "/livez"))[0] == (await probe(agent.port, "/startupz"))[0] == 200
                is_open = True
                assert (await probe(agent.port, "/readyz"))[0] == 200

    asyncio.run(scenario())


def test_a_degraded_start_is_ready_and_says_without_what(tmp_path):
    """At its deadline: what no call can do without is there by then, and the rehearsal needs all of that."""
    with process(tmp_path, "--startup-deadline", "0.01") as (server, agent):
        until_ready(server, agent.port)
        server.terminate()
        output, _ = server.communicate(timeout=30)
        assert server.returncode == 0
        assert re.search(r"Warm \(all\).* without .*step rehearsal", output)


def test_a_language_model_that_cannot_be_reached_is_said_at_the_start_and_in_readyz(tmp_path):
    with process(tmp_path, "--llm-base-url", "http://127.0.0.1:9/v1", "--llm-model", "none") as (server, agent):
        while (answer := answers(agent.port, "/startupz")) is None or answer[0] != 200:
            assert server.poll() is None
            time.sleep(0.05)
        code, body = ask(agent.port, "/readyz")
        assert (code, len(body["missing"])) == (503, 1)
        assert body["missing"][0].startswith("gate model: cannot be reached (")
        time.sleep(0.5)  # for the line
        server.terminate()
        output, _ = server.communicate(timeout=30)
        assert server.returncode == 0
        assert f"Not ready: {body['missing'][0]}." in output


def test_explain_runs_nothing(tmp_path):
    command = [sys.executable, "-m", "warmline", "serve", "--explain", "--startup-policy", "block"]
    environment = {**os.environ, "WARMLINE_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("policy block, deadline 60 s")
    assert "rehearsal" in done.stdout
    assert not (tmp_path / "cache").exists()


def test_a_server_without_a_working_ear_is_not_ready_and_becomes_it_when_one_works(tmp_path, monkeypatch):
    """Past the deadline too. A caller is told at once, not greeted and then left alone."""
    works = False

    def hooks_that_may_fail(hearing):
        hooks = ear_hooks(hearing)

        async def factory():
            if not works:
                raise EngineError("no ear")
            return await hooks.factory()

        return replace(hooks, factory=factory)

    monkeypatch.setattr("warmline.engines.ear_hooks", hooks_that_may_fail)

    async def scenario():
        nonlocal works
        async with served(tmp_path, until_ready=False, startup_deadline_sec=0.1) as agent:
            while not any(isinstance(event, WarmUpFinished) for event in agent.events):
                await asyncio.sleep(0.01)
            code, body = await probe(agent.port, "/readyz")
            assert (code, body["missing"]) == (503, ["step ears"])
            async with agent.call() as call:
                assert (await closed_with(call))[0] == 1011
            works = True
            async with agent.call() as call:
                await events_until(call, "bot_started", turn=0)
            while (await probe(agent.port, "/readyz"))[0] != 200:
                await asyncio.sleep(0.01)

    asyncio.run(scenario())
