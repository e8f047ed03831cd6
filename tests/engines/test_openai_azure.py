"""The language model at Azure: deployments, keys, and the tokens of an identity from the real azure-identity."""

import asyncio

import pytest

from tests.credentials.azure_credentials import app_service, on_this_machine
from tests.credentials.endpoint import serving
from tests.emulators.emulated import ANSWER, emulated, on_a_loop
from tests.engines.asking import SECRET, answer_of, language_model, until
from warmline.credentials import AzureIdentity, StaticKey, TokenKeeper
from warmline.engines.openai import OpenAIConfig, OpenAILanguageModel
from warmline.errors import ConfigError, EngineError, WarmUpFailed


@on_a_loop
async def test_a_wrong_deployment_at_azure_shows_in_a_turn_and_the_next_turn_may_try_again():
    async with emulated("--deployment=front-desk") as emulator:
        at_azure = {"azure_api_version": "2024-10-21", "model": "front-disk"}
        async with language_model(emulator.url.removesuffix("/v1"), **at_azure) as model:
            await model.connect()
            with pytest.raises(EngineError, match=r"no model or deployment 'front-disk' \(HTTP 404"):
                await answer_of(model)
            assert "correct its name" in model.gate.why_not
            assert (await emulator.control.counters())["by_status"]["404"] == 1  # the turn; nothing paid was repeated
            await emulator.control.serve_deployments(["front-disk"])
            assert await answer_of(model) == ANSWER
            assert model.gate


@on_a_loop
async def test_azure_takes_the_token_of_the_moment():
    azure = {"azure_api_version": "2024-10-21", "model": "front-desk", "api_key": ""}
    async with (
        TokenKeeper(StaticKey("a-token"), name="model") as keeper,
        emulated("--deployment=front-desk", "--api-key=a-token") as emulator,
        language_model(emulator.url.removesuffix("/v1"), token_provider=keeper.async_provider(), **azure) as model,
    ):
        await model.connect()
        assert await answer_of(model) == ANSWER


def test_azure_needs_all_of_its_parts():
    azure = {"azure_api_version": "2024-10-21", "base_url": "https://x.example", "model": "front-desk"}
    for lacking in ({}, {"api_key": "k", "model": None}, {"api_key": "k", "base_url": None}):
        with pytest.raises(ConfigError):
            OpenAILanguageModel(OpenAIConfig(**{**azure, **lacking}))


@on_a_loop
async def test_an_identity_without_a_role_is_told_from_a_wrong_key():
    azure = {"azure_api_version": "2024-10-21", "model": "front-desk", "api_key": ""}
    async with (
        TokenKeeper(StaticKey(SECRET), name="token") as keeper,
        emulated("--api-key=another") as emulator,
        language_model(emulator.url.removesuffix("/v1"), token_provider=keeper.async_provider(), **azure) as model,
    ):
        with pytest.raises(WarmUpFailed, match=r"refuses the identity \(HTTP 401, invalid_api_key\): give it a role"):
            await model.connect()
        await emulator.control.accept_keys([SECRET])
        await until(lambda: model.gate)


def test_an_identity_endpoint_that_is_down_is_said_and_recovered_from(monkeypatch):
    on_this_machine(monkeypatch)
    azure = {"azure_api_version": "2024-10-21", "model": "front-desk", "api_key": ""}

    async def scenario(endpoint):
        identity = AzureIdentity(app_service(endpoint, monkeypatch))
        async with (
            TokenKeeper(identity, name="token", wait_timeout_sec=0.2) as keeper,
            emulated() as emulator,
            language_model(emulator.url.removesuffix("/v1"), token_provider=keeper.async_provider(), **azure) as model,
        ):
            with pytest.raises(WarmUpFailed, match="can not be asked without a token: token: the identity endpoint"):
                await model.connect()
            with pytest.raises(EngineError, match="can not be asked without a token"):
                await answer_of(model)
            assert (await emulator.control.counters())["by_path"] == {}  # nothing was sent without one
            endpoint.fault = None
            await until(lambda: model.gate)
            assert await answer_of(model) == ANSWER

    with serving() as endpoint:
        endpoint.fault = 500
        asyncio.run(scenario(endpoint))
