"""Responses, the prompt cache and realtime sessions, with the real SDK."""

import asyncio
import ssl

import openai
import pytest

from tests.emulators.emulated import ANSWER, ASK, emulated, on_a_loop, sdk
from warmline.emulators.openai.prompt_cache import PromptCache
from warmline.engines import ChatMessage

LONG = [{"role": "system", "content": ASK[0]["content"] + "\n" + "Be kind to every caller. " * 300}, ASK[1]]


@on_a_loop
async def test_a_response_in_one_piece():
    async with emulated() as emulator, sdk(emulator) as client:
        response = await client.responses.create(model="m", instructions=ASK[0]["content"], input=ASK[1]["content"])
        assert response.output_text == ANSWER
        assert response.status == "completed"
        assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


@on_a_loop
async def test_a_streamed_response():
    async with emulated() as emulator, sdk(emulator) as client:
        stream = await client.responses.create(model="m", input=ASK, stream=True)
        events = [event async for event in stream]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert events[0].type == "response.created"
        assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == ANSWER
        assert events[-1].type == "response.completed"
        assert events[-1].response.output_text == ANSWER


@on_a_loop
async def test_the_sdks_own_helper_for_responses():
    async with emulated() as emulator, sdk(emulator) as client, client.responses.stream(model="m", input=ASK) as stream:
        assert (await stream.get_final_response()).output_text == ANSWER


@on_a_loop
async def test_a_response_that_is_cut_and_one_that_is_refused():
    async with emulated() as emulator, sdk(emulator) as client:
        response = await client.responses.create(model="m", input=ASK, max_output_tokens=2)
        assert (response.output_text, response.status) == ("Noon to", "incomplete")
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="m", input=[])
        assert caught.value.param == "input"


@on_a_loop
async def test_prompts_are_cached():
    async with emulated("--prompt-cache") as emulator, sdk(emulator) as client:

        async def cached(messages):
            usage = (await client.chat.completions.create(model="m", messages=messages)).usage
            assert usage.prompt_tokens_details.cached_tokens <= usage.prompt_tokens
            return usage.prompt_tokens_details.cached_tokens

        assert await cached(LONG) == 0
        found = await cached(LONG)
        assert found >= 1024
        assert found % 128 == 0
        assert await cached([*LONG, {"role": "assistant", "content": "a" * 1024}, ASK[1]]) >= found
        assert await cached([{"role": "system", "content": "x" + LONG[0]["content"]}, ASK[1]]) == 0, "an exact prefix"
        assert await cached(ASK) == await cached(ASK) == 0, "too short"


@on_a_loop
async def test_without_the_cache_nothing_is_cached():
    async with emulated() as emulator, sdk(emulator) as client:
        for _ in range(2):
            response = await client.responses.create(model="m", input=LONG)
            assert response.usage.input_tokens_details.cached_tokens == 0


def test_the_cache_forgets_what_is_not_used():
    now = 0.0
    cache = PromptCache(idle_sec=300, now=lambda: now)
    prompt = [ChatMessage("system", "word " * 1000)]
    assert cache.cached_tokens("m", prompt) == 0
    now = 299
    assert cache.cached_tokens("m", prompt) > 0
    now = 598
    assert cache.cached_tokens("m", prompt) > 0
    assert cache.cached_tokens("other", prompt) == 0
    now = 899
    assert cache.cached_tokens("m", prompt) == 0


@pytest.mark.parametrize("tls", [False, True])
@on_a_loop
async def test_a_realtime_session(tls):
    async with emulated("--api-key=sk-test", tls=tls) as emulator, sdk(emulator) as client:
        options = {"ssl": ssl.create_default_context(cafile=emulator.ca_file)} if tls else {}
        async with client.realtime.connect(model="gpt-realtime", websocket_connection_options=options) as session:
            created = await session.recv()
            assert (created.type, created.session.model) == ("session.created", "gpt-realtime")
            await session.session.update(session={"type": "realtime", "instructions": ASK[0]["content"]})
            updated = await session.recv()
            assert (updated.type, updated.session.instructions) == ("session.updated", ASK[0]["content"])
            await (await session._connection.ping())
            said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ASK[1]["content"]}]}
            await session.conversation.item.create(item=said)
            await session.response.create()
            text = ""
            async for event in session:
                text += event.delta if event.type == "response.output_text.delta" else ""
                if event.type == "response.done":
                    break
            assert text == ANSWER
            counters = await emulator.control.counters()
            assert counters["by_protocol"] == {"websocket": 1}
            assert counters["open"] == 1
        async with asyncio.timeout(10):
            while (await emulator.control.counters())["open"]:
                await asyncio.sleep(0.01)


@on_a_loop
async def test_a_realtime_session_has_a_limit():
    async with emulated("--realtime-limit=100ms") as emulator, sdk(emulator) as client:
        async with client.realtime.connect(model="m") as session:
            events = [event async for event in session]
        assert [event.type for event in events] == ["session.created", "error"]
        assert events[1].error.code == "session_expired"


@on_a_loop
async def test_a_realtime_session_for_the_wrong_key():
    async with emulated("--api-key=right") as emulator, sdk(emulator) as client:
        with pytest.raises(Exception, match="401"):
            async with client.realtime.connect(model="m"):
                pass


@on_a_loop
async def test_events_that_are_refused():
    async with emulated() as emulator, sdk(emulator) as client, client.realtime.connect(model="m") as session:
        await session.recv()
        for bad in ("{", "[]", '{"type": "x"}', '{"type": "conversation.item.create", "item": {}}'):
            await session._connection.send(bad)
            assert (await session.recv()).type == "error"
        await session.session.update(session={"type": "realtime"})
        assert (await session.recv()).type == "session.updated"
