"""How connections are proven, what that costs, and the clients that the SDK has beside its plain one."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import openai
import pytest

from tests.connections.conftest import ask, azure_deployment, until
from tests.connections.llm_server import LlmServer
from warmline.connections.http import Spent, rehearsal, transport_of, warm
from warmline.connections.http.sdk import CompletionWarmUp, is_reasoning, one_token
from warmline.emulators import EmulatorProcess
from warmline.errors import ConfigError

PROMPT = [{"role": "system", "content": "You are a receptionist. " * 200}, {"role": "user", "content": "hello"}]
REQUEST = {"model": "gpt-4o", "messages": PROMPT, "tools": [{"type": "function", "function": {"name": "book"}}]}


def sdk(server, library=None):
    http = None if library is None else library.AsyncClient()
    return openai.AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0, http_client=http)


def test_connect_asks_without_a_key(library):
    async def main():
        async with LlmServer() as server, warm(sdk(server, library), strategy="connect") as client:
            assert await transport_of(client).wait_warm()
            assert {each.method for each in server.seen} == {"HEAD"}
            assert all("authorization" not in each.headers for each in server.seen)
            assert transport_of(client).refused_status == 0, "any answer will do"
            assert await ask(client) == "word0 word1 word2"

    asyncio.run(main())


def test_a_completion_carries_the_real_prompt_and_its_cost_is_counted(library):
    async def main():
        async with (
            LlmServer() as server,
            warm(sdk(server, library), strategy="completion", completion=REQUEST) as client,
        ):
            transport = transport_of(client)
            assert await transport.wait_warm()
            sent = [json.loads(each.body) for each in server.asked("/completions")]
            assert len(sent) == 2
            assert all(each["messages"] == PROMPT and each["tools"] == REQUEST["tools"] for each in sent)
            assert all((each["max_tokens"], each["temperature"]) == (1, 0) for each in sent)
            assert transport.spent == Spent(requests=2, prompt_tokens=18, cached_tokens=8, completion_tokens=2)
            uploads = [each.verified_upload_bytes for each in transport.origin._connections]
            assert min(uploads) > len(json.dumps(PROMPT))

    asyncio.run(main())


def test_touches_list_the_models_until_the_prompt_must_be_primed_again():
    async def main():
        async with LlmServer() as server:
            client = sdk(server)
            warm_up, spent = CompletionWarmUp(client, REQUEST, reprime_after_sec=0.05), Spent()
            await warm_up.prove(spent)
            await warm_up.touch(spent)
            await asyncio.sleep(0.06)
            await warm_up.touch(spent)
            assert [each.method for each in server.seen] == ["POST", "GET", "POST"]
            await client.close()

    asyncio.run(main())


def test_the_names_of_parameters_follow_the_model_family():
    assert not any(map(is_reasoning, ["gpt-4o", "gpt-4.1-mini", "llama-3", "gpt-50", "my-o1", "phi-4"]))
    assert all(map(is_reasoning, ["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5.2", "gpt-5-nano", "openai/gpt-5-mini"]))
    asked = {
        "model": "gpt-5",
        "messages": [],
        "stream": True,
        "temperature": 1,
        "max_tokens": 100,
        "tool_choice": "auto",
    }
    assert one_token(asked) == {"model": "gpt-5", "messages": [], "tool_choice": "auto", "max_completion_tokens": 16}
    assert one_token({**asked, "model": "gpt-4o"})["max_tokens"] == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"strategy": "completion"}, "needs completion="),
        ({"completion": REQUEST}, "no other strategy"),
        ({"strategy": "completion", "completion": {"model": "m"}}, "needs messages"),
        ({"strategy": "chat"}, "expected one of connect, models, completion"),
        ({"url": "https://x.example"}, "for plain HTTP clients"),
    ],
)
def test_a_completion_that_cannot_be_made_is_refused(options, says):
    client = openai.AsyncOpenAI(base_url="http://127.0.0.1:1/v1", api_key="k")
    with pytest.raises(ConfigError, match=says):
        warm(client, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"strategy": "completion", "completion": REQUEST}, "strategy='completion'"), ({"also_at": ["u"]}, "also_at")],
)
def test_what_only_the_sdk_can_is_refused_for_plain_clients(library, options, says):
    async def main():
        async with aiohttp.ClientSession("http://127.0.0.1:1") as session:
            for client in (library.AsyncClient(base_url="http://127.0.0.1:1"), session):
                with pytest.raises(ConfigError, match=f"{says} is for clients of the SDK"):
                    warm(client, **options)

    asyncio.run(main())


def test_an_azure_client_with_a_deployment_asks_where_the_original_does(monkeypatch):
    """Also with an SDK whose `copy` forgets the deployment, as that of 2.0 does."""
    copied = openai.AsyncAzureOpenAI.copy

    def forgetful(self, **options):
        made = copied(self, **options)
        made._azure_endpoint = made._azure_deployment = None
        return made

    async def main():
        async with LlmServer() as server, azure_deployment(server) as original, warm(original) as client:
            assert await transport_of(client).wait_warm()
            await client.models.list()
            assert {each.path.partition("?")[0] for each in server.seen} == {"/openai/models"}
            assert await ask(client) == "word0 word1 word2"
            (sent,) = server.asked("/completions")
            assert sent.path.startswith("/openai/deployments/dep/chat/completions?")

    monkeypatch.setattr(openai.AsyncAzureOpenAI, "copy", forgetful)
    monkeypatch.setattr(openai.AsyncAzureOpenAI, "with_options", forgetful)
    asyncio.run(main())


def test_azure(library):
    async def main():
        async with LlmServer() as server:
            original = openai.AsyncAzureOpenAI(
                azure_endpoint=server.url.removesuffix("/v1"),
                api_version="2024-10-21",
                azure_ad_token_provider=lambda: "token-of-now",
                max_retries=0,
                http_client=library.AsyncClient(),
            )
            async with warm(original) as client:
                assert await transport_of(client).wait_warm()
                assert all(each.path == "/openai/models?api-version=2024-10-21" for each in server.seen)
                assert all(each.headers["authorization"] == "Bearer token-of-now" for each in server.seen)
                assert await ask(client) == "word0 word1 word2"
                assert server.seen[-1].path.startswith("/openai/deployments/m/chat/completions?")
                assert transport_of(client).recent[-1].tier == "warm"
            await original.close()

    asyncio.run(main())


def test_touches_use_the_credentials_of_the_moment(library):
    async def main():
        async with LlmServer() as server, warm(sdk(server, library)) as client:
            await transport_of(client).wait_warm()
            client.api_key = "rotated"
            await transport_of(client).rewarm(older_than_sec=0)
            await until(lambda: len(server.seen) == 4)
            keys = [each.headers["authorization"] for each in server.seen]
            assert keys == ["Bearer k"] * 2 + ["Bearer rotated"] * 2

    asyncio.run(main())


def test_a_plain_clients_warm_ups_reach_neither_its_hooks_nor_its_jar(library):
    heard = []

    async def hear(message):
        heard.append(message)

    async def main():
        async with LlmServer(cookie="c=1") as server:
            hooks = {"request": [hear], "response": [hear]}
            async with warm(library.AsyncClient(base_url=server.url, event_hooks=hooks)) as client:
                assert await transport_of(client).wait_warm()
                assert (heard, dict(client.cookies)) == ([], {})
                await client.get("/models")
                assert (len(heard), dict(client.cookies)) == (2, {"c": "1"})

    asyncio.run(main())


def test_the_emulator_answers_over_warm_connections():
    async def main():
        async with await EmulatorProcess.start(token_interval_ms=0) as emulator:
            original = openai.AsyncOpenAI(base_url=emulator.url, api_key="k", max_retries=0)
            async with warm(original) as client:
                assert await transport_of(client).wait_warm()
                assert "computer" in await ask_if_robot(client)
                assert [each.tier for each in transport_of(client).recent] == ["warm"]
            await original.close()

    asyncio.run(main())


async def ask_if_robot(client):
    messages = [{"role": "user", "content": "are you a robot"}]
    completion = await client.chat.completions.create(model="m", messages=messages)
    return completion.choices[0].message.content


def test_the_code_of_a_completion_is_rehearsed_without_a_word_to_the_server(library, monkeypatch):
    """Once a process; here, once more from the start."""

    async def main():
        async with LlmServer() as server, warm(sdk(server, library)) as client:
            assert await transport_of(client).wait_warm()
            assert rehearsal._done == {(library.__name__, False)}
            assert {each.path for each in server.seen} == {"/v1/models"}
            assert not any("rehearsal" in str(each.headers) for each in server.seen)

    monkeypatch.setattr(rehearsal, "_done", set())
    asyncio.run(main())


def test_a_rehearsal_that_fails_is_no_reason_not_to_start(library, monkeypatch):
    def fail(*_):
        raise RuntimeError("no such type")

    async def main():
        async with LlmServer() as server, warm(sdk(server, library)) as client:
            assert await transport_of(client).wait_warm()
            assert await ask(client) == "word0 word1 word2"

    monkeypatch.setattr(rehearsal, "_done", set())
    monkeypatch.setattr(rehearsal, "_answer", fail)
    asyncio.run(main())
