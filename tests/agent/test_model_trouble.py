"""What callers and probes notice when the language model fails, and that it passes by itself."""

import asyncio

from tests.agent.served import served
from tests.agent.test_a_call import plan
from tests.emulators.emulated import emulated
from tests.health.probing import probe
from warmline.measure import Caller
from warmline.settings import load_scenario

APOLOGY = load_scenario().apology


async def readiness(agent, status):
    """The body of /readyz once it answers with this status."""
    async with asyncio.timeout(30):
        while (answer := await probe(agent.port, "/readyz"))[0] != status:
            await asyncio.sleep(0.05)
    return answer[1]


async def undegraded(agent):
    """The body of /readyz once it names nothing that failed in the start."""
    async with asyncio.timeout(30):
        while (answer := await probe(agent.port, "/readyz"))[1]["degraded"]:
            await asyncio.sleep(0.05)
    return answer[1]


async def until_said(said, beginning):
    async with asyncio.timeout(60):
        while not any(line.startswith(beginning) for line in said):
            await asyncio.sleep(0.05)


def at(emulator, **choices):
    return {"llm_base_url": emulator.url, "llm_api_key": "sk-of-this-test", **choices}


def test_a_caller_hears_an_apology_and_the_next_turn_is_answered(tmp_path):
    async def scenario():
        async with emulated() as emulator, served(tmp_path, **at(emulator, llm_token_timeout_sec=1)) as agent:
            await emulator.control.arm("stall", times=1)
            return await Caller(agent.url).call(plan("hours", "parking"))

    result = asyncio.run(scenario())
    assert result.completed, (result.failure, result.faults, result.turns)
    sorry, answered = result.turns
    assert sorry.reply == APOLOGY
    assert sorry.v2v_ms is not None  # it was heard
    assert "behind the house" in answered.reply.lower()


def test_while_the_quota_is_exhausted_readyz_says_so_and_callers_hear_an_apology(tmp_path):
    async def scenario():
        async with emulated() as emulator, served(tmp_path, **at(emulator)) as agent:
            await readiness(agent, 200)
            await emulator.control.arm("rate-limit")
            result = await Caller(agent.url).call(plan("hours"))
            closed = await readiness(agent, 503)
            await emulator.control.disarm("rate-limit")
            return result, closed, await readiness(agent, 200), await Caller(agent.url).call(plan("hours"))

    refused, closed, opened, answered = asyncio.run(scenario())
    assert refused.completed, (refused.failure, refused.faults)
    assert refused.turns[0].reply == APOLOGY
    assert closed["missing"] == [
        "gate model: takes no more requests for now (HTTP 429, rate_limit_exceeded): its rate or quota is exhausted"
    ]
    assert opened["missing"] == []
    assert "every day" in answered.turns[0].reply.lower()


def test_a_start_with_a_wrong_key_says_so_takes_calls_and_becomes_ready_by_itself(tmp_path):
    said = []

    async def scenario():
        async with (
            emulated("--api-key=another") as emulator,
            served(tmp_path, say=said.append, until_ready=False, **at(emulator)) as agent,
        ):
            await until_said(said, "Not ready: ")
            closed = await readiness(agent, 503)
            call = await Caller(agent.url).call(plan("hours"))
            await emulator.control.accept_keys(None)
            await readiness(agent, 200)
            await until_said(said, "Call it: ")
            clean = await undegraded(agent)
            return closed, call, clean, (await emulator.control.counters())["by_path"].get("/v1/chat/completions", 0)

    closed, call, clean, paid_for = asyncio.run(scenario())
    why = "gate model: refuses the key (HTTP 401, invalid_api_key): give it the right API key"
    assert closed["missing"] == [why]
    assert [line for line in said if why in line] == [line for line in said if line.startswith("Not ready")]
    assert "sk-of-this-test" not in "".join(said)
    assert call.turns[0].reply == APOLOGY
    assert {"step model connection", "step rehearsal"} <= set(closed["degraded"])
    assert (clean["status"], clean["degraded"]) == ("ready", [])
    # The rehearsal's turn, the caller's, and the second rehearsal's: nothing else asks for what is paid.
    assert paid_for <= 3
