"""Azure's forms of the API, and keys, with the real SDK."""

import openai
import pytest

from tests.emulators.emulated import ANSWER, ASK, ask, emulated, http_client, on_a_loop, sdk


def azure(emulator, **given):
    given = {"api_key": "secret-key", "api_version": "2024-10-21", "max_retries": 0, **given}
    return openai.AsyncAzureOpenAI(
        azure_endpoint=emulator.url.removesuffix("/v1"), http_client=http_client(emulator), **given
    )


@on_a_loop
async def test_a_deployment():
    async with emulated("--deployment=gpt-eu", tls=True) as emulator, azure(emulator) as client:
        completion = await client.chat.completions.create(model="gpt-eu", messages=ASK)
        assert completion.choices[0].message.content == ANSWER
        counters = await emulator.control.counters()
        assert counters["by_path"] == {"/openai/deployments/gpt-eu/chat/completions": 1}


@on_a_loop
async def test_a_deployment_that_does_not_exist():
    async with emulated("--deployment=gpt-eu") as emulator, azure(emulator) as client:
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(model="gpt-us", messages=ASK)
        assert caught.value.code == "DeploymentNotFound"


@on_a_loop
async def test_models_and_a_version_that_is_missing():
    async with emulated() as emulator, azure(emulator) as client:
        assert [model.id async for model in client.models.list()] == ["receptionist"]
        base_url = emulator.url.removesuffix("/v1") + "/openai"
        async with openai.AsyncOpenAI(base_url=base_url, api_key="x", max_retries=0) as without:
            with pytest.raises(openai.NotFoundError):
                await without.models.list()


@on_a_loop
async def test_the_v1_form():
    async with emulated() as emulator:
        base_url = emulator.url.removesuffix("/v1") + "/openai/v1"
        async with openai.AsyncOpenAI(base_url=base_url, api_key="x", max_retries=0) as client:
            assert await ask(client) == ANSWER
            assert (await client.models.retrieve("any")).id == "any"


@on_a_loop
async def test_keys_of_both_kinds():
    async with emulated("--api-key=secret-key", "--api-key=second") as emulator:
        async with azure(emulator) as by_key, azure(emulator, api_key=None, azure_ad_token="second") as by_token:
            for client in (by_key, by_token):
                await client.models.list()
        async with sdk(emulator, api_key="wrong-key") as client:
            with pytest.raises(openai.AuthenticationError) as caught:
                await ask(client)
            assert caught.value.code == "invalid_api_key"
            assert "wrong-key" not in str(caught.value)


@on_a_loop
async def test_keys_change_while_it_runs():
    async with emulated("--api-key=old") as emulator, sdk(emulator, api_key="old") as client:
        assert await ask(client) == ANSWER
        await emulator.control.accept_keys(["new"])
        with pytest.raises(openai.AuthenticationError):
            await ask(client)
        client.api_key = "new"
        assert await ask(client) == ANSWER
        await emulator.control.accept_keys(None)
        client.api_key = "any"
        assert await ask(client) == ANSWER
        counters = await emulator.control.counters()
        assert counters["by_status"] == {"200": 3, "401": 1}
        assert counters["requests_per_connection"] == [4], "a refusal keeps the connection"
