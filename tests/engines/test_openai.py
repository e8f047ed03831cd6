"""The language model through the real SDK, against the emulator: its connections, its troubles, its recovery."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from contextlib import aclosing

import pytest

from tests.emulators.emulated import ANSWER, emulated, on_a_loop
from tests.engines.asking import ASKED, SECRET, answer_of, language_model, until
from warmline.errors import EngineError, WarmUpFailed

CHAT, MODELS = "/v1/chat/completions", "/v1/models"


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


ASK_AND_LIST = """
import asyncio, sys
from tests.engines.asking import answer_of, language_model

async def ask():
    async with language_model(sys.argv[1]) as model:
        known = set(sys.modules)
        await model.connect()
        await answer_of(model)
        print(*sorted(set(sys.modules) - known))

asyncio.run(ask())
"""


@on_a_loop
async def test_a_first_request_imports_nothing_on_the_loop():
    async with emulated() as emulator:
        command = [sys.executable, "-c", ASK_AND_LIST, emulator.url]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    packages = {name.partition(".")[0] for name in done.stdout.split()}
    assert packages & {"anyio", "httpcore2", "httpx2", "openai", "pydantic", "warmline"} == set()


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
async def test_a_wrong_model_is_found_for_free_and_so_is_its_correction():
    async with emulated("--model=gpt-front") as emulator, language_model(emulator.url, model="gpt-frond") as model:
        with pytest.raises(WarmUpFailed, match=r"no model or deployment 'gpt-frond' \(HTTP 404, model_not_found\)"):
            await model.connect()
        assert "correct its name" in model.gate.why_not
        await emulator.control.serve_models(["gpt-front", "gpt-frond"])
        await until(lambda: model.gate)
        assert CHAT not in (await emulator.control.counters())["by_path"]
        assert await answer_of(model) == ANSWER


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
async def test_a_quota_that_is_used_up_is_no_rate_limit_and_a_list_of_models_does_not_disprove_it():
    async with emulated() as emulator, language_model(emulator.url) as model:
        await model.connect()
        await emulator.control.arm("quota")
        with pytest.raises(EngineError, match=r"has no quota left \(HTTP 429, insufficient_quota\): see plan"):
            await answer_of(model)
        assert (await emulator.control.counters())["by_path"][CHAT] == 1
        await asyncio.sleep(1.5)  # by now a rate limit would have been taken for over
        assert "see plan and billing" in model.gate.why_not
        await emulator.control.disarm("quota")
        assert await answer_of(model) == ANSWER
        assert model.gate


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
