"""The language model through the real SDK, against the emulator: its connections, its troubles, its recovery."""

import asyncio
import contextlib
import socket
from contextlib import aclosing, asynccontextmanager

import pytest

from tests.emulators.emulated import ANSWER, ASK, emulated, on_a_loop
from warmline.credentials import StaticKey, TokenKeeper
from warmline.engines import ChatMessage
from warmline.engines.openai import OpenAIConfig, OpenAILanguageModel, TroubleKind
from warmline.engines.openai.availability import Availability
from warmline.engines.openai.trouble import Trouble
from warmline.errors import ConfigError, EngineError, WarmUpFailed

ASKED = [ChatMessage("system", ASK[0]["content"]), ChatMessage("user", ASK[1]["content"])]
SECRET = "sk-nobody-may-see-this"
CHAT, MODELS = "/v1/chat/completions", "/v1/models"


@asynccontextmanager
async def language_model(url, **chosen):
    model = OpenAILanguageModel(OpenAIConfig(**{"base_url": url, "model": "m", "api_key": SECRET, **chosen}))
    async with aclosing(model):
        yield model


async def answer_of(model):
    async with aclosing(model.stream(ASKED)) as pieces:
        return "".join([piece async for piece in pieces])


async def until(holds):
    """Fails after 30 s."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)


async def counted(emulator, fits):
    """The counters, once they fit."""
    async with asyncio.timeout(30):
        while not fits(found := await emulator.control.counters()):
            await asyncio.sleep(0.02)
    return found


@on_a_loop
async def test_connecting_opens_and_proves_the_spares_and_a_turn_goes_over_one_of_them():
    async with emulated() as emulator, language_model(emulator.url, spare_connections=3) as model:
        await model.connect()
        assert model.gate
        connected = await emulator.control.counters()
        assert connected["open"] >= 3
        assert CHAT not in connected["by_path"]
        await emulator.control.forget()
        assert await answer_of(model) == ANSWER
        after = await emulator.control.counters()
        assert (after["accepted"], after["by_path"]) == (0, {CHAT: 1})


@on_a_loop
async def test_a_turn_after_a_barge_in_finds_a_connection_that_stood_before():
    async with emulated(token_interval_ms=50) as emulator, language_model(emulator.url) as model:
        await model.connect()
        await emulator.control.forget()
        async with aclosing(model.stream(ASKED)) as cut_off:
            assert await anext(cut_off)
        assert await answer_of(model) == ANSWER
        # No turn rode on a connection that was opened for it: each of those opened since has carried its proof alone.
        found = await counted(
            emulator, lambda now: now["by_path"].get(MODELS, 0) == now["accepted"] and now["open"] > 1
        )
        assert found["by_path"][CHAT] == 2
        assert max(found["requests_per_connection"]) == 1
        await emulator.control.forget()
        assert await answer_of(model) == ANSWER
        assert (await emulator.control.counters())["accepted"] == 0


@on_a_loop
async def test_a_ring_opens_connections_and_nothing_waits_for_them():
    async with emulated() as emulator, language_model(emulator.url) as model:
        model.rewarm()
        model.rewarm()
        await counted(emulator, lambda now: now["open"] >= 2)


@on_a_loop
async def test_a_wrong_key_is_said_and_recovered_from_without_a_paid_request():
    async with emulated("--api-key=sk-the-right-one") as emulator, language_model(emulator.url) as model:
        with pytest.raises(WarmUpFailed, match=r"refuses the key \(HTTP 401, invalid_api_key\)") as refused:
            await model.connect()
        assert SECRET not in f"{refused.value} {model.gate} {model.config}"
        assert model.gate.why_not.startswith("refuses the key (HTTP 401")
        await emulator.control.accept_keys([SECRET])
        await until(lambda: model.gate)
        assert CHAT not in (await emulator.control.counters())["by_path"]
        assert await answer_of(model) == ANSWER


@on_a_loop
async def test_a_key_that_is_revoked_while_nobody_calls_closes_the_gate():
    async with emulated() as emulator, language_model(emulator.url) as model:
        await model.connect()
        await emulator.control.accept_keys(["sk-another"])
        await emulator.control.close_idle()  # their replacements are refused
        await until(lambda: not model.gate)
        assert "refuses the key" in model.gate.why_not
        await emulator.control.accept_keys(None)
        await until(lambda: model.gate)


@on_a_loop
async def test_a_wrong_deployment_at_azure_shows_in_a_turn_and_the_next_turn_may_try_again():
    async with emulated("--deployment=front-desk") as emulator:
        at_azure = {"azure_api_version": "2024-10-21", "model": "front-disk"}
        async with language_model(emulator.url.removesuffix("/v1"), **at_azure) as model:
            await model.connect()
            with pytest.raises(EngineError, match=r"no model or deployment 'front-disk' \(HTTP 404"):
                await answer_of(model)
            assert "correct its name" in model.gate.why_not
            await until(lambda: model.gate)
            assert (await emulator.control.counters())["by_status"]["404"] == 1  # the turn; nothing paid was repeated


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
async def test_an_exhausted_quota_closes_the_gate_until_it_is_over():
    async with emulated() as emulator, language_model(emulator.url) as model:
        await model.connect()
        await emulator.control.arm("rate-limit", value=0)
        with pytest.raises(EngineError, match=r"takes no more requests for now \(HTTP 429, rate_limit_exceeded\)"):
            await answer_of(model)
        assert not model.gate
        assert (await emulator.control.counters())["by_status"]["429"] == 1  # what was refused is not repeated
        await emulator.control.disarm("rate-limit")
        await until(lambda: model.gate)
        assert await answer_of(model) == ANSWER


@on_a_loop
async def test_a_server_that_is_not_there_is_said_and_found_when_it_comes():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with language_model(f"http://127.0.0.1:{port}/v1") as model:
        with pytest.raises(WarmUpFailed, match="cannot be reached"):
            await model.connect()
        assert "check its address" in model.gate.why_not
        async with emulated(port=port):
            await until(lambda: model.gate)
            assert await answer_of(model) == ANSWER
        with pytest.raises(EngineError, match="cannot be reached"):
            await answer_of(model)


@pytest.mark.parametrize("after_tokens", [0, 2])
@on_a_loop
async def test_a_model_that_falls_silent_is_not_waited_for(after_tokens):
    async with emulated() as emulator, language_model(emulator.url, token_timeout_sec=0.5) as model:
        await model.connect()
        await emulator.control.arm("stall", value=after_tokens, times=1)
        with pytest.raises(EngineError, match=r"gave no token for 0\.5 s"):
            await answer_of(model)
        await until(lambda: model.gate)
        assert await answer_of(model) == ANSWER


@on_a_loop
async def test_a_line_that_breaks_in_an_answer_is_an_engine_error():
    async with emulated() as emulator, language_model(emulator.url) as model:
        await model.connect()
        await emulator.control.arm("reset", value=2, times=1)
        with pytest.raises(EngineError, match="language model"):
            await answer_of(model)


@on_a_loop
async def test_an_error_of_the_moment_is_not_heard_by_the_caller():
    async with emulated() as emulator, language_model(emulator.url) as model:
        await model.connect()
        await emulator.control.arm("server-error", times=1)
        assert await answer_of(model) == ANSWER
        assert model.gate
        assert (await emulator.control.counters())["by_status"]["500"] == 1


@on_a_loop
async def test_nothing_is_left_after_the_close():
    before = asyncio.all_tasks()
    async with emulated() as emulator:
        started = asyncio.all_tasks()
        async with language_model(emulator.url) as model:
            model.rewarm()
            await emulator.control.arm("rate-limit")
            with contextlib.suppress(EngineError):
                await answer_of(model)
            assert not model.gate
        await counted(emulator, lambda now: now["open"] == 0)
        assert asyncio.all_tasks() <= started
    assert asyncio.all_tasks() <= before


def no_jitter(low, high):
    return low


def test_pauses_grow_while_checks_fail_and_after_a_check_that_proves_nothing():
    quota = Trouble(TroubleKind.QUOTA, "takes no more requests", retry_after_sec=3.0)
    availability = Availability(no_jitter)
    availability.failed(quota)
    availability.failed(quota)  # another caller, the same trouble
    assert availability.pause_sec() == 3.0
    for pause_sec in (3.0, 4.0, 8.0, 16.0):
        availability.check_failed(quota)
        assert availability.pause_sec() == pause_sec
    availability.check_passed()  # says nothing about a quota
    assert availability.trouble is None
    availability.failed(quota)
    assert availability.pause_sec() == 32.0
    availability.answered()
    availability.failed(quota)
    assert availability.pause_sec() == 3.0
    for _ in range(20):
        availability.check_failed(quota)
    assert availability.pause_sec() == 60.0


def test_a_list_that_lacks_the_model_is_believed_until_the_model_has_answered():
    availability = Availability(no_jitter)
    unknown = Trouble(TroubleKind.MODEL, "has no model 'm'")
    availability.check_failed(unknown)
    assert availability.trouble is unknown
    availability.answered()
    availability.check_failed(unknown)
    assert availability.trouble is None
