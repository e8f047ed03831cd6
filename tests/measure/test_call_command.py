"""`warmline call` as a command: exit status, tables, JSON."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.measure.scripted_agent import AgentEnd, agent
from tests.measure.sounds import babble
from warmline.cli import main
from warmline.cli.call_pauses import Pause, with_pauses
from warmline.measure import ScriptTurn

SERVER = """
import asyncio
from tests.measure.scripted_agent import agent
from tests.measure.sounds import babble

async def greet(end):
    await end.say(0, babble(0.4))
    await end.hear_bye()

async def serve():
    async with agent(greet, port={port}):
        await asyncio.sleep(60)

asyncio.run(serve())
"""


async def receptionist(end: AgentEnd) -> None:
    await end.say(0, babble(0.3))
    for turn in range(1, 100):
        await end.hear_utterance()
        await end.event("transcript", turn=turn, text="are you open")
        await end.event("reply", turn=turn, text="We are open until ten.")
        await end.say(turn, babble(0.3))


@pytest.fixture
def url() -> Iterator[str]:
    """An agent in a thread of its own, for the command has a loop of its own."""
    address: list[str] = []
    listening, enough = threading.Event(), threading.Event()

    async def serve() -> None:
        async with agent(receptionist) as found:
            address.append(found)
            listening.set()
            await asyncio.to_thread(enough.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert listening.wait(10)
    yield address[0]
    enough.set()
    thread.join()


def test_a_call_as_expected_exits_zero_and_shows_what_was_heard(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", url, "--say", "are you open", "--expect", "UNTIL TEN", "--voice", "espeak"]) == 0
    shown = capsys.readouterr().out
    assert "We are open until ten." in shown
    assert "1 of 1" in shown
    assert "1/1" in shown


def test_a_reply_that_was_not_expected_exits_three(url: str, tmp_path: Path) -> None:
    script = tmp_path / "call.toml"
    script.write_text('[[turns]]\nsay = "are you open"\nwording = "unseen"\nexpect = "closed"\n')
    found = tmp_path / "calls.json"
    assert main(["call", url, "--script", str(script), "--voice", "espeak", "--json", str(found)]) == 3
    document = json.loads(found.read_text())
    assert document["summary"]["right_unseen"] == {"right": 0, "of": 1}
    turn = document["calls"][0]["turns"][0]
    assert (turn["said"], turn["transcript"], turn["expectation_held"]) == ("are you open", "are you open", False)
    assert turn["v2v_ms"] > 0


def test_many_calls_at_a_time_take_the_scripts_in_turn(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", url, "--turns", "0", "--calls", "4", "--parallel", "2", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["summary"]["completed"] == 4
    assert captured.err.count("greeting") == 4


def test_a_call_that_fails_exits_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "ws://127.0.0.1:1/ws", "--turns", "0"]) == 1
    assert "no connection" in capsys.readouterr().out


def test_a_server_is_spawned_for_each_call_and_ended_after_it(tmp_path: Path, free_port: int) -> None:
    server = tmp_path / "server.py"
    server.write_text(SERVER.format(port=free_port))
    found = tmp_path / "calls.json"
    command = f"env PYTHONPATH={Path.cwd()} {sys.executable} {server}"
    spawn = ["--spawn", command, "--turns", "0", "--calls", "2", "--json", str(found)]
    assert main(["call", f"127.0.0.1:{free_port}", *spawn]) == 0
    calls = json.loads(found.read_text())["calls"]
    assert [call["failure"] for call in calls] == [None, None]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--say", "a", "--script", "b.toml"], "choose one"),
        (["--expect", "a"], "belongs to --say"),
        (["--say", "a", "--expect", "("], "no regular expression"),
        (["--say", "a", "--say", "b", "--say", "c", "--expect", "a", "--expect", "b"], "give one, or one each"),
        (["--script", "/nowhere.toml"], "/nowhere.toml"),
        (["--voice", "sinatra"], "no voice 'sinatra'"),
        (["--spawn", "true", "--parallel", "2"], "--spawn"),
        (["--spawn", "'", "--turns", "0"], "--spawn"),
        (["--spawn", "/nowhere/at-all", "--turns", "0"], "cannot be started"),
        (["--ticket-file", "/nowhere/token"], "token file"),
    ],
)
def test_wrong_options_exit_two_with_one_clear_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["call", "ws://127.0.0.1:1", *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("127.0.0.1:7860", "ws://127.0.0.1:7860/ws"),
        ("http://127.0.0.1:7860/", "ws://127.0.0.1:7860/ws"),
        ("https://agent.example", "wss://agent.example/ws"),
        ("ws://host:1/other", "ws://host:1/other"),
    ],
)
def test_addresses_are_taken_as_people_give_them(given: str, meant: str) -> None:
    from warmline.cli.call import websocket_url

    assert websocket_url(given) == meant


@pytest.mark.parametrize("pause", ["soon", "1@", "-1", "1@0", "1@2"])
def test_a_pause_that_cannot_be_is_a_usage_error(pause: str) -> None:
    assert main(["call", "ws://127.0.0.1:1/ws", "--say", "hello", f"--pause={pause}"]) == 2


def test_pauses_are_for_one_turn_or_for_all_but_the_first() -> None:
    turns = [ScriptTurn(say=word) for word in ("one", "two", "three")]
    said = with_pauses(turns, [Pause(9.0, 3), Pause(2.0)])
    assert [turn.pause_sec for turn in said] == [0.0, 2.0, 9.0]
