"""The example application: its stages by themselves, and the whole of it as a process with live calls."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from importlib import reload
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.health.probing import ask, listening
from tests.structure.source_tree import ROOT

if TYPE_CHECKING:
    from warmline.startup import Report


def test_the_six_stages_run_in_order_of_their_needs_and_are_verified() -> None:
    from examples.voice_backend import app as example

    async def main() -> tuple[Report, Any]:
        backend = reload(example)  # its own plan and pool
        async with backend.app.router.lifespan_context(backend.app):
            assert backend.app.state.warm_up is backend.plan
            report = await backend.plan.finished()
            assert backend.health.probe().ready
        return report, backend

    report, backend = asyncio.run(main())
    assert report.failed == ()
    assert report.not_verified == ("events",)
    assert {step.name for step in report.steps} == {"core", "speech", "aoai", "services", "agents", "events"}
    begin = {step.name: step.start_sec or 0.0 for step in report.steps}
    end = {step.name: begin[step.name] + step.took_sec for step in report.steps}
    assert end["core"] <= begin["services"] <= end["services"] <= begin["speech"]
    assert begin["aoai"] < end["core"]  # beside it, not after it
    assert begin["events"] >= max(end["speech"], end["aoai"], end["agents"])
    assert report.critical_path == ("core", "services", "speech", "events")
    assert report["speech"].evidence == "2 voices spoke"
    assert backend.voices.snapshot()["counts"]["live"] == 0  # given back


def test_what_a_stage_makes_anew_takes_the_place_of_what_it_had_made() -> None:
    from examples.voice_backend import app as example

    async def main() -> tuple[int, int]:
        backend = reload(example)
        async with backend.app.router.lifespan_context(backend.app):
            await backend.plan.finished()
            before = backend.provider.open
            await backend.plan.run()
            async with asyncio.timeout(20):
                while backend.provider.open > before:
                    await asyncio.sleep(0.01)
            return before, backend.provider.open

    before, after = asyncio.run(main())
    assert before == after == 4  # two stages and two voices


def ready(port: int, process: subprocess.Popen[str]) -> None:
    """Live at once, ready a little later."""
    seen = []
    while (answer := ask(port, "/readyz"))[0] != 200:
        assert process.poll() is None
        seen.append(answer[1]["status"])
        time.sleep(0.02)
    assert set(seen) <= {"starting"}


def test_under_uvicorn_it_gates_serves_and_drains_under_three_live_calls() -> None:
    with listening() as door:
        port, fd = door.getsockname()[1], door.fileno()
        command = [sys.executable, "-m", "uvicorn", "examples.voice_backend.app:app", "--fd", str(fd)]
        process = subprocess.Popen(
            command, cwd=ROOT, pass_fds=[fd], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    try:
        talk_and_leave(port, process)
    finally:
        process.kill()
        output, _ = process.communicate()
    assert "Traceback" not in output
    assert "Application shutdown complete" in output


def talk_and_leave(port: int, process: subprocess.Popen[str]) -> None:
    ready(port, process)
    assert ask(port, "/livez")[0] == 200
    with ExitStack() as open_calls:
        url = f"ws://127.0.0.1:{port}/call"
        drain_under([open_calls.enter_context(connect(url)) for _ in range(3)], port, process)
    assert process.wait(timeout=30) in (0, -signal.SIGTERM)  # uvicorn raises the signal again when it is done


def drain_under(calls: list[ClientConnection], port: int, process: subprocess.Popen[str]) -> None:
    for number, call in enumerate(calls):
        assert talk(call, f"I am {number}") == f"answer to I am {number}"
    process.send_signal(signal.SIGTERM)
    while ask(port, "/readyz")[0] == 200:
        time.sleep(0.01)
    assert ask(port, "/readyz")[1]["missing"] == ["draining"]
    assert ask(port, "/livez")[0] == 200
    with connect(f"ws://127.0.0.1:{port}/call") as late, pytest.raises(ConnectionClosed) as refused:
        late.recv(timeout=20)
    assert refused.value.rcvd is not None
    assert (refused.value.rcvd.code, refused.value.rcvd.reason) == (1013, "the server is shutting down")
    for number, call in enumerate(calls):
        assert process.poll() is None
        assert talk(call, f"still {number}") == f"answer to still {number}"
        call.close()


def talk(call: ClientConnection, words: str) -> str:
    call.send(words)
    return str(call.recv(timeout=20))
