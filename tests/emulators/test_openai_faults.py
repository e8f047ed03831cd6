"""What goes wrong on purpose, as the real SDK meets it."""

import asyncio
import sys

import openai
import pytest

from tests.emulators.emulated import ANSWER, ASK, ask, ask_streaming, emulated, on_a_loop, sdk
from warmline.emulators.openai.faults import Fault, FaultSwitch

# The SDK lets the errors of its HTTP library through while it reads a stream; newer ones build on httpx2.
TRANSPORT_ERRORS = ((sys.modules.get("httpx2") or sys.modules["httpx"]).TransportError,)
HTTP = pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])


@HTTP
@on_a_loop
async def test_a_close_race(http2):
    async with emulated(http2=http2) as emulator, sdk(emulator, http2=http2) as client:
        await emulator.control.arm("close-race", times=1)
        assert await ask(client) == ANSWER, "the first request of a connection does not race"
        with pytest.raises(openai.APIConnectionError):
            await ask(client)
        assert await ask(client) == ANSWER
        assert (await emulator.control.counters())["accepted"] == 2


@on_a_loop
async def test_a_close_race_that_the_sdk_survives():
    async with emulated() as emulator, sdk(emulator, max_retries=1) as client:
        await ask(client)
        await emulator.control.arm("close-race", times=1)
        assert await ask(client) == ANSWER


@HTTP
@on_a_loop
async def test_idle_connections_are_closed(http2):
    async with emulated("--idle-close=50ms", http2=http2) as emulator, sdk(emulator, http2=http2) as client:
        await ask(client)
        async with asyncio.timeout(10):
            while (await emulator.control.counters())["open"]:
                await asyncio.sleep(0.01)
        if not http2:  # httpcore does not look at an idle HTTP/2 connection, and fails
            assert await ask(client) == ANSWER


@on_a_loop
async def test_the_idle_limit_changes_while_it_runs():
    async with emulated() as emulator, sdk(emulator) as client:
        await ask(client)
        assert (await emulator.control.counters())["open"] == 1
        await emulator.control.close_idle_after(0.05)
        await ask(client)
        async with asyncio.timeout(10):
            while (await emulator.control.counters())["open"]:
                await asyncio.sleep(0.01)


@on_a_loop
async def test_a_connection_without_any_request_idles_too():
    async with emulated("--idle-close=50ms") as emulator:
        port = int(emulator.url.rsplit(":", 1)[1].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


@on_a_loop
async def test_all_idle_connections_at_once():
    async with emulated(token_interval_ms=50) as emulator, sdk(emulator) as client:
        await asyncio.gather(*(client.models.list() for _ in range(3)))
        stream = await client.chat.completions.create(model="m", messages=ASK, stream=True)
        assert await emulator.control.close_idle() == 2
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == ANSWER


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unauthorized", openai.AuthenticationError),
        ("rate-limit", openai.RateLimitError),
        ("server-error", openai.InternalServerError),
    ],
)
@on_a_loop
async def test_refusals(fault, error):
    async with emulated("--fault", f"{fault},times=2") as emulator, sdk(emulator) as client:
        for _ in range(2):
            with pytest.raises(error):
                await ask(client)
        assert await ask(client) == ANSWER
        assert (await emulator.control.counters())["requests_per_connection"] == [3]


@on_a_loop
async def test_when_to_come_back():
    async with emulated("--fault=rate-limit=7") as emulator, sdk(emulator) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(client)
        assert caught.value.response.headers["retry-after"] == "7"
        assert caught.value.code == "rate_limit_exceeded"


@HTTP
@on_a_loop
async def test_a_reset_in_the_middle_of_a_stream(http2):
    async with emulated(http2=http2) as emulator, sdk(emulator, http2=http2) as client:
        await emulator.control.arm("reset", value=3, times=1)
        with pytest.raises((openai.APIError, *TRANSPORT_ERRORS)):
            await ask_streaming(client)
        assert (await ask_streaming(client))[0] == ANSWER


@on_a_loop
async def test_a_stall():
    async with emulated() as emulator, sdk(emulator, timeout=0.3) as client:
        await emulator.control.arm("stall", times=1)
        with pytest.raises(openai.APITimeoutError):
            await ask(client)
        assert await ask(client) == ANSWER


@on_a_loop
async def test_faults_are_shown_and_disarmed():
    async with emulated("--fault=stall=2,times=3") as emulator, sdk(emulator) as client:
        shown = await emulator.control._send("GET", "/faults")
        assert shown["armed"] == {"stall": {"value": 2.0, "times": 3}}
        await emulator.control.disarm("stall")
        assert await ask(client) == ANSWER


def test_faults_are_used_up():
    switch = FaultSwitch(1.0, (Fault.parse("stall=2,times=2"), Fault.parse("reset")))
    assert switch.take("stall") == Fault("stall", 2.0, 2)
    assert switch.take("stall") == Fault("stall", 2.0, 1)
    assert switch.take("stall") is None
    assert [switch.take("reset") for _ in range(3)] == [Fault("reset", 1.0)] * 3


@pytest.mark.parametrize("text", ["", "nothing", "stall=x", "stall,times=0", "stall,times=x", "stall=-1", "stall=nan"])
def test_faults_that_cannot_be(text):
    with pytest.raises(ValueError, match=r".+"):
        Fault.parse(text)


@on_a_loop
async def test_a_reset_leaves_no_trace_in_the_emulators_log():
    async with emulated() as emulator, sdk(emulator) as client:
        for tokens in (0, 1):
            await emulator.control.arm("reset", value=tokens, times=1)
            with pytest.raises((openai.APIConnectionError, *TRANSPORT_ERRORS)):
                await ask_streaming(client)
        assert await ask(client) == ANSWER, "it serves on"
        assert "Traceback" not in emulator._tail.quoted()


@on_a_loop
async def test_a_quota_that_is_used_up():
    async with emulated("--fault=quota") as emulator, sdk(emulator) as client:
        await client.models.list()  # which is free
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(client)
        assert (caught.value.code, caught.value.type) == ("insufficient_quota", "insufficient_quota")
        assert "retry-after" not in caught.value.response.headers
