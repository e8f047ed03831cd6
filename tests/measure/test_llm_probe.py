"""The probe of a language model's connections, against the emulator over real sockets."""

import asyncio
import contextlib
import json
import re
import socket
from contextlib import asynccontextmanager

import pytest

from tests.emulators.emulated import emulated, on_a_loop
from warmline.cli import main
from warmline.errors import ConfigError, EngineError
from warmline.measure import LlmFindings, LlmRequest, LlmState, LlmTarget, advice_for, gain_of, probe_llm


def target(emulator, **given):
    return LlmTarget(
        **{"url": emulator.url, "model": "m", "api_key": "sk-secret", "ca_file": emulator.ca_file, **given}
    )


def reused(findings):
    return {state: [request.connect_ms is None for request in each] for state, each in findings.requests.items()}


@on_a_loop
async def test_which_states_find_a_connection():
    rounds = []
    async with emulated(token_interval_ms=20, tls=True) as emulator:
        findings = await probe_llm(target(emulator), rounds=2, idle_sec=0, on_round=rounds.append)
        counters = await emulator.control.counters()
    assert rounds == [0, 1]
    assert reused(findings) == {
        LlmState.COLD: [False, False],
        LlmState.CONNECTED: [True, True],
        LlmState.EXERCISED: [True, True],
        LlmState.IDLE: [True, True],
        LlmState.BARGE_IN: [False, False],
    }
    assert all(request.tls_ms is not None for request in findings.requests[LlmState.COLD])
    # A client before the rounds; in each round a new one, and one that loses its connection to the barge-in.
    assert counters["requests_per_connection"] == [1, 1, 5, 1, 1, 5, 1]


@on_a_loop
async def test_a_server_that_closes_what_idles():
    async with emulated("--idle-close=50ms", token_interval_ms=20) as emulator:
        findings = await probe_llm(target(emulator), rounds=1, idle_sec=0.5)
    assert reused(findings)[LlmState.IDLE] == [False]


@on_a_loop
async def test_azure():
    async with emulated("--deployment=d", "--api-key=sk-secret", token_interval_ms=20) as emulator:
        origin = emulator.url.removesuffix("/v1")
        azure = target(emulator, url=origin, model="d", api_version="2024-10-21")
        assert set((await probe_llm(azure, rounds=1, idle_sec=0)).requests) == set(LlmState)
        with pytest.raises(EngineError, match=r"127\.0\.0\.1 refused a request: there is no such model or deployment"):
            await probe_llm(target(emulator, url=origin, model="x", api_version="2024-10-21"), rounds=1)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--api-key=other", "the key is wrong"),
        ("--fault=rate-limit", "quota or rate limit"),
        ("--fault=server-error", "HTTP 500"),
    ],
)
@on_a_loop
async def test_a_server_that_refuses(option, says):
    async with emulated(option) as emulator:
        with pytest.raises(EngineError, match=says) as caught:
            await probe_llm(target(emulator), rounds=1)
        assert "secret" not in str(caught.value)


@on_a_loop
async def test_a_server_that_is_not_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(EngineError, match=r"127\.0\.0\.1 does not answer: APIConnectionError"):
            await probe_llm(LlmTarget(url=url, model="m", api_key="x"), rounds=1)


def findings(cold, connected, exercised, idle, barge_in):
    times = dict(zip(LlmState, (cold, connected, exercised, idle, barge_in), strict=True))
    return LlmFindings(6.0, {state: [LlmRequest(ms), LlmRequest(ms)] for state, ms in times.items()})


def test_advice_names_what_would_be_gained():
    said = advice_for(findings(400, 170, 160, 390, 161))
    assert "240 ms on a first request" in said
    assert "230 ms after 6 s of silence" in said
    assert "barge-in" not in said
    assert "\n" not in said


def test_no_advice_where_nothing_is_cold():
    assert advice_for(findings(165, 160, 160, 170, 161)).startswith("Nothing to gain")
    with pytest.raises(ValueError, match="no values"):
        gain_of(LlmFindings(6.0))


def test_the_users_own_settings():
    openai = {"OPENAI_API_KEY": "sk-secret", "OPENAI_MODEL": "gpt"}
    found = LlmTarget.from_environment(openai, None)
    assert (found.where, found.model, found.api_version) == ("api.openai.com", "gpt", None)
    assert "secret" not in repr(found)
    azure = {
        "AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com",
        "AZURE_OPENAI_API_KEY": "k",
        "OPENAI_API_VERSION": "v",
    }
    assert LlmTarget.from_environment(openai | azure, "dep").model == "dep"
    assert LlmTarget.from_environment(azure | {"AZURE_OPENAI_DEPLOYMENT": "dep"}, None).api_version == "v"


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "OPENAI_MODEL is not set; set it, or give --model"),
        ({"OPENAI_MODEL": "m"}, "OPENAI_API_KEY is not set; set it, or give --emulate"),
        ({"AZURE_OPENAI_ENDPOINT": "https://x"}, "AZURE_OPENAI_DEPLOYMENT is not set"),
        ({"OPENAI_MODEL": "m", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://far.example/v1"}, "plain http"),
        ({"OPENAI_MODEL": "m", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "ftp://x"}, "begins with http"),
    ],
)
def test_settings_that_are_missing_or_wrong(environment, says):
    with pytest.raises(ConfigError, match=says):
        LlmTarget.from_environment(environment, None)


def test_the_command(capsys, tmp_path):
    file = tmp_path / "found.json"
    assert main(["doctor", "llm", "--emulate", "--rtt", "5", "--rounds", "1", "--idle", "0", "--json", str(file)]) == 0
    shown = capsys.readouterr()
    assert [line.split("|")[1].strip() for line in shown.out.splitlines() if line.startswith("|")][2:] == list(LlmState)
    assert shown.err == "round 1 of 1 done\n"
    found = json.loads(file.read_text())
    assert found["advice"] in shown.out
    assert set(found["requests"]) == set(LlmState)


def test_the_command_without_a_server(capsys, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_MODEL", "AZURE_OPENAI_ENDPOINT", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert main(["doctor", "llm", "--model", "m"]) == 2
    assert capsys.readouterr().err == "warmline: OPENAI_API_KEY is not set; set it, or give --emulate\n"


@on_a_loop
async def test_nothing_is_left_behind():
    async with emulated(token_interval_ms=20) as emulator:
        before = asyncio.all_tasks()
        await probe_llm(target(emulator), rounds=1, idle_sec=0)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() <= before


@asynccontextmanager
async def answering_with(events, *, breaks_off=False):
    """A server that lists no models, and streams these events."""

    serving = set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                await reader.readexactly(int(length[1]) if length else 0)
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                )
                for event in events:
                    data = f"data: {event}\n\n".encode()
                    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                if breaks_off:
                    break
                writer.write(b"0\r\n\r\n")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield LlmTarget(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", model="m", api_key="k")
        await asyncio.gather(*serving)


@on_a_loop
async def test_a_stream_without_a_token_is_told():
    async with answering_with(["[DONE]"]) as empty:
        with pytest.raises(EngineError, match="an empty stream: no token came"):
            await probe_llm(empty, rounds=1)


@on_a_loop
async def test_a_stream_that_breaks_off_is_told():
    chunk = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "w"}}]}
    async with answering_with([json.dumps(chunk)], breaks_off=True) as broken:
        with pytest.raises(EngineError, match="does not answer: "):
            await probe_llm(broken, rounds=1)


@on_a_loop
async def test_no_proxy_leads_to_this_machine(monkeypatch):
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with emulated(token_interval_ms=20, tls=True) as emulator:
        assert set((await probe_llm(target(emulator), rounds=1, idle_sec=0)).requests) == set(LlmState)
