"""What somebody has to mend (a name, a quota, an identity): said at the start, and over once it is mended."""

import asyncio

from tests.agent.served import served
from tests.agent.test_a_call import plan
from tests.agent.test_model_trouble import APOLOGY, at, readiness, until_said
from tests.credentials.azure_credentials import on_this_machine
from tests.credentials.endpoint import APP_SERVICE_HEADER, SECRETS, serving
from tests.emulators.emulated import emulated
from warmline.events import TurnFinished
from warmline.measure import Caller


async def mended_after_a_turn(agent, mend):
    """A call of two turns; what is wrong is mended between them. Returns their replies."""

    async def between():
        while not any(isinstance(event, TurnFinished) and event.turn == 1 for event in agent.events):
            await asyncio.sleep(0.02)
        await mend()

    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(Caller(agent.url).call(plan("hours", "parking")))
        mending = tasks.create_task(between())
        call.add_done_callback(lambda _: mending.cancel())
    result = call.result()
    assert result.completed, (result.failure, result.faults, result.turns)
    assert all(turn.v2v_ms is not None for turn in result.turns)  # apology and answer were heard
    return [turn.reply for turn in result.turns]


def not_ready_lines(said):
    return [line for line in said if line.startswith("Not ready")]


def test_a_wrong_model_is_said_at_the_start_and_found_mended_without_a_call(tmp_path):
    said = []

    async def scenario():
        async with (
            emulated("--model=gpt-front") as emulator,
            served(tmp_path, say=said.append, until_ready=False, **at(emulator, llm_model="gpt-frond")) as agent,
        ):
            await until_said(said, "Not ready: ")
            closed = await readiness(agent, 503)
            call = await Caller(agent.url).call(plan("hours"))
            await emulator.control.serve_models(["gpt-frond"])
            await readiness(agent, 200)
            return closed, call

    closed, call = asyncio.run(scenario())
    why = "gate model: has no model or deployment 'gpt-frond' (HTTP 404, model_not_found): correct its name"
    assert closed["missing"] == [f"{why} or the base URL"]
    assert [why in line for line in not_ready_lines(said)] == [True]
    assert call.turns[0].reply == APOLOGY


def test_a_quota_that_is_used_up_is_asked_for_by_turns_alone_until_one_is_answered(tmp_path):
    said = []

    async def scenario():
        async with (
            emulated("--fault=quota") as emulator,
            served(tmp_path, say=said.append, until_ready=False, **at(emulator)) as agent,
        ):
            await until_said(said, "Not ready: ")
            closed = await readiness(agent, 503)
            replies = await mended_after_a_turn(agent, lambda: emulator.control.disarm("quota"))
            await readiness(agent, 200)
            return closed, replies, (await emulator.control.counters())["by_status"]["429"]

    closed, (sorry, answered), refused = asyncio.run(scenario())
    why = "gate model: has no quota left (HTTP 429, insufficient_quota): see plan and billing at the provider"
    assert closed["missing"] == [why]
    assert [why in line for line in not_ready_lines(said)] == [True]
    assert sorry == APOLOGY
    assert "behind the house" in answered.lower()
    assert refused == 2  # the rehearsal's turn and the caller's first


def test_a_wrong_deployment_at_azure_is_said_at_the_start_and_the_turn_after_its_making_is_answered(tmp_path):
    said = []

    async def scenario():
        async with emulated("--deployment=front-desk") as emulator:
            azure = {"llm_azure_api_version": "2024-10-21", "llm_model": "front-disk"}
            azure["llm_base_url"] = emulator.url.removesuffix("/v1")
            async with served(tmp_path, say=said.append, until_ready=False, **at(emulator, **azure)) as agent:
                await until_said(said, "Not ready: ")
                closed = await readiness(agent, 503)
                replies = await mended_after_a_turn(agent, lambda: emulator.control.serve_deployments(["front-disk"]))
                await readiness(agent, 200)
                return closed, replies

    closed, (sorry, answered) = asyncio.run(scenario())
    why = "gate model: has no model or deployment 'front-disk' (HTTP 404, DeploymentNotFound): correct its name"
    assert closed["missing"] == [f"{why} or the base URL"]
    assert [why in line for line in not_ready_lines(said)] == [True]
    assert sorry == APOLOGY
    assert "behind the house" in answered.lower()


def test_an_identity_that_gets_no_token_is_said_without_a_secret_and_asked_again(tmp_path, monkeypatch):
    """The identity of an App Service, by the real azure-identity as the agent makes it."""
    on_this_machine(monkeypatch)
    said = []

    async def scenario(endpoint):
        async with emulated() as emulator:
            azure = {"llm_azure_api_version": "2024-10-21", "llm_model": "front-desk", "llm_api_key": None}
            azure |= {"llm_base_url": emulator.url.removesuffix("/v1"), "llm_token_timeout_sec": 1}
            async with served(tmp_path, say=said.append, until_ready=False, **at(emulator, **azure)) as agent:
                await until_said(said, "Not ready: ")
                closed = await readiness(agent, 503)
                call = await Caller(agent.url).call(plan("hours"))
                endpoint.fault = None
                await readiness(agent, 200)
                return closed, call

    with serving() as endpoint:
        endpoint.fault = "echo"
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", APP_SERVICE_HEADER)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        closed, call = asyncio.run(scenario(endpoint))
    [why] = closed["missing"]
    what = "can not be asked without a token: token: the identity endpoint gave no token (ClientAuthenticationError)"
    assert why == f"gate model: {what}"
    assert [why in line for line in not_ready_lines(said)] == [True]
    assert not [secret for secret in SECRETS if secret in f"{said} {closed}"]
    assert call.turns[0].reply == APOLOGY
