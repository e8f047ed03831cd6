"""What calls take from pools, and what happens to calls when the processes behind the pools die."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.agent.served import FRAME, closed_with, events_until, served
from tests.agent.test_a_call import SAID, plan
from tests.processes import children
from warmline.events import CallEnded, LeaseTaken
from warmline.measure import Caller


def templates():
    """The template processes of this process, by what they load."""
    found = {}
    for child in children():
        try:
            command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            parent = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        if parent == os.getpid() and "warmline.workers.template_process" in command:
            found["ear" if "pocketsphinx" in command[-2] else "voice"] = child
    return found


def leases(agent):
    return [(event.pool, event.tier) for event in agent.events if isinstance(event, LeaseTaken)]


async def until(true):
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


def test_a_call_takes_an_ear_and_a_voice_that_stood_ready_and_its_record_says_so(tmp_path):
    async def scenario():
        async with served(tmp_path, spare_calls=1) as agent:
            assert all(children(pid) for pid in templates().values())
            agent.events.clear()
            result = await Caller(agent.url).call(plan("hours"))
            await until(lambda: any(isinstance(event, CallEnded) for event in agent.events))
            return result, leases(agent), next(event for event in agent.events if isinstance(event, CallEnded))

    result, taken, ended = asyncio.run(scenario())
    assert result.completed, result.failure
    assert taken == [("recogniser", "warm"), ("voice", "warm")]
    assert [(lease.pool, lease.tier) for lease in ended.leases] == taken
    assert all(lease.acquire_ms >= 0 and lease.session_id == ended.session_id for lease in ended.leases)


def test_all_spares_stand_when_the_start_is_over_though_it_begins_with_one(tmp_path):
    async def scenario():
        async with served(tmp_path, spare_calls=3):
            standing = {kind: len(children(pid)) for kind, pid in templates().items()}
            # What the rehearsal used has been replaced, and may not have ended yet.
            await until(lambda: [len(children(pid)) for pid in templates().values()] == [3, 3])
        return standing

    assert min(asyncio.run(scenario()).values()) >= 3


def test_a_burst_above_the_spares_is_greeted_at_once_and_waits_for_its_ears(tmp_path):
    async def scenario():
        async with served(tmp_path, spare_calls=1, max_calls=4) as agent:
            agent.events.clear()
            results = await asyncio.gather(*(Caller(agent.url).call(plan("hours")) for _ in range(4)))
            return results, leases(agent)

    results, taken = asyncio.run(scenario())
    assert all(result.completed for result in results), [result.failure for result in results]
    ears = sorted(tier for pool, tier in taken if pool == "recogniser")
    assert ears == ["cold"] * 3 + ["warm"]


def test_the_greeting_does_not_wait_for_an_ear(tmp_path):
    async def scenario():
        async with served(tmp_path, spare_calls=0) as agent:
            os.kill(templates()["ear"], signal.SIGSTOP)
            agent.events.clear()
            async with agent.call() as call:
                await events_until(call, "bot_stopped", turn=0)
                assert ("recogniser", "cold") not in leases(agent)
                await call.send('{"type":"bye"}')
                assert (await closed_with(call))[0] == 1000

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["ear", "voice"])
def test_calls_go_on_and_come_when_a_template_is_killed(tmp_path, kind):
    async def scenario():
        async with served(tmp_path, spare_calls=1) as agent:
            agent.events.clear()
            during = asyncio.create_task(Caller(agent.url).call(plan("hours", "parking")))
            await until(lambda: len(leases(agent)) == 2)
            killed = templates()[kind]
            os.kill(killed, signal.SIGKILL)
            after = await asyncio.gather(*(Caller(agent.url).call(plan("parking")) for _ in range(2)))
            results = [await during, *after]
            await until(lambda: templates().get(kind) not in (None, killed))
            return results

    during, *after = asyncio.run(scenario())
    assert during.completed, (during.failure, during.faults, during.turns)
    assert [turn.transcript.split()[-1] for turn in during.turns] == ["hours", "car"]
    for result in after:
        assert result.completed, (result.failure, result.faults, result.turns)
        assert result.turns[0].transcript.split()[-1] == "car"


def test_spares_that_are_killed_are_replaced_and_nobody_notices(tmp_path):
    async def scenario():
        async with served(tmp_path, spare_calls=1) as agent:
            spares = {kind: children(pid) for kind, pid in templates().items()}
            for spare in spares.values():
                os.kill(spare[0], signal.SIGKILL)
            await until(
                lambda: all(
                    len(now := children(templates()[kind])) == 1 and now != spare for kind, spare in spares.items()
                )
            )
            return await Caller(agent.url).call(plan("hours"))

    result = asyncio.run(scenario())
    assert result.completed, result.failure
    assert result.turns[0].transcript == SAID["hours"][0]


def test_a_call_whose_ear_is_killed_before_it_speaks_is_heard_at_its_second_try(tmp_path):
    async def scenario():
        async with served(tmp_path, spare_calls=0) as agent, agent.call() as call:
            await call.send(FRAME)
            await until(lambda: [pool for pool, _ in leases(agent)[-1:]] == ["voice"])
            await events_until(call, "bot_started", turn=0)
            for ear in children(templates()["ear"]):
                os.kill(ear, signal.SIGKILL)
            speaking = asyncio.create_task(say_twice(call))
            try:
                heard = await events_until(call, "transcript", text=SAID["hours"][0])
            finally:
                speaking.cancel()
                await asyncio.wait([speaking])
            return heard

    assert asyncio.run(scenario())


async def say_twice(call):
    pcm = (Path(__file__).parents[1] / "data" / SAID["hours"][1]).read_bytes()[44:]
    for audio in (pcm, bytes(48_000), pcm):
        for start in range(0, len(audio), len(FRAME)):
            await call.send(audio[start : start + len(FRAME)])
            await asyncio.sleep(0.02)
    while True:
        await call.send(FRAME)
        await asyncio.sleep(0.02)
