"""TLS, HTTP/1.1 and HTTP/2, and what is counted of them, with the real SDK."""

import asyncio
import os
import socket
import subprocess
import sys

import openai
import pytest

from tests.emulators.emulated import ANSWER, ask, ask_streaming, emulated, on_a_loop, sdk


@on_a_loop
async def test_a_client_that_trusts_the_authority():
    async with emulated(tls=True) as emulator, sdk(emulator) as client:
        assert emulator.url.startswith("https://127.0.0.1:")
        assert await ask(client) == ANSWER
        counters = await emulator.control.counters()
        assert counters["tls_versions"] == ["TLSv1.3"]
        assert counters["by_protocol"] == {"http/1.1": 1}
        assert (counters["accepted"], counters["handshakes"], counters["open"]) == (1, 1, 1)


@on_a_loop
async def test_a_client_that_does_not():
    async with emulated(tls=True) as emulator:
        async with openai.AsyncOpenAI(base_url=emulator.url, api_key="x", max_retries=0) as client:
            with pytest.raises(openai.APIConnectionError):
                await ask(client)
        counters = await emulator.control.counters()
        assert counters["accepted"] == 1
        assert counters["requests"] == 0


@on_a_loop
async def test_http2_shares_one_connection():
    async with emulated(http2=True) as emulator, sdk(emulator, http2=True) as client:
        assert await ask(client) == ANSWER
        answers = await asyncio.gather(*(ask_streaming(client) for _ in range(5)))
        assert {answer for answer, _ in answers} == {ANSWER}
        counters = await emulator.control.counters()
        assert counters["by_protocol"] == {"h2": 6}
        assert counters["requests_per_connection"] == [6]


@on_a_loop
async def test_who_does_not_ask_for_http2_gets_http1_1():
    async with emulated(http2=True) as emulator, sdk(emulator) as client:
        assert await ask(client) == ANSWER
        assert (await emulator.control.counters())["by_protocol"] == {"http/1.1": 1}


@on_a_loop
async def test_which_connection_had_which_request():
    async with emulated() as emulator, sdk(emulator) as client:
        for _ in range(3):
            await ask(client)
        await asyncio.gather(*(ask(client) for _ in range(3)))
        counters = await emulator.control.counters()
        assert counters["requests_per_connection"] == [4, 1, 1]
        assert counters["by_path"] == {"/v1/chat/completions": 6}
        assert counters["by_status"] == {"200": 6}
        assert counters["handshakes"] == 0
        await emulator.control.forget()
        assert (await emulator.control.counters())["requests_per_connection"] == [0, 0, 0]


@on_a_loop
async def test_connections_that_ended_are_not_open():
    async with emulated() as emulator:
        async with sdk(emulator) as client:
            await ask(client)
        async with asyncio.timeout(10):
            while (await emulator.control.counters())["open"]:
                await asyncio.sleep(0.01)
        assert (await emulator.control.counters())["requests_per_connection"] == [1]


@on_a_loop
async def test_the_authoritys_file_goes_with_the_emulator():
    async with emulated(tls=True) as emulator:
        file = emulator.ca_file
        assert b"BEGIN CERTIFICATE" in file.read_bytes()
        assert os.stat(file.parent).st_mode & 0o77 == 0
    assert not file.exists()
    assert not file.parent.exists()


@on_a_loop
async def test_an_endless_handshake_is_accepted_and_no_more():
    async with emulated(tls=True) as emulator:
        port = int(emulator.url.rsplit(":", 1)[1].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port)):
            async with asyncio.timeout(10):
                while not (await emulator.control.counters())["accepted"]:
                    await asyncio.sleep(0.01)
            assert (await emulator.control.counters())["handshakes"] == 0


def test_a_file_that_cannot_be_written(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "warmline.emulators.openai", "--tls", f"--ca-file={tmp_path}/no/ca.pem"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "No such file" in ended.stderr
