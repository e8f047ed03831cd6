"""The network in front of an emulator. How long a round trip takes is measured elsewhere; here, what passes."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys

import pytest

from tests.emulators.emulated import ANSWER, ask, ask_streaming, emulated, on_a_loop, sdk
from warmline.emulators.listener import listen
from warmline.emulators.wan import TunWan, WanProxy, entered, why_no_tun
from warmline.errors import EngineError

TUN = pytest.mark.skipif(why_no_tun() is not None, reason=f"no TUN devices: {why_no_tun()}")


async def echoed(reader, writer):
    """Sends back what comes, and ends when its client does."""
    while data := await reader.read(1000):
        writer.write(data)
    writer.write(b"end")
    writer.close()


@on_a_loop
async def test_a_proxy_keeps_order_and_ends():
    server = await asyncio.start_server(echoed, "127.0.0.1", 0)
    listener = listen("127.0.0.1", 0)
    proxy = await WanProxy.start(listener, *server.sockets[0].getsockname(), rtt_sec=0.01)
    address = listener.getsockname()
    reader, writer = await asyncio.open_connection(*address)
    sent = bytes(range(256)) * 4000
    writer.write(sent)
    writer.write_eof()
    async with asyncio.timeout(10):
        assert await reader.read() == sent + b"end"
    writer.close()
    await proxy.aclose()
    await proxy.aclose()
    server.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(*address)


@on_a_loop
async def test_a_proxy_passes_a_reset_on():
    async with emulated("--rtt=10ms", "--fault=reset=2,times=1") as emulator, sdk(emulator) as client:
        with pytest.raises(Exception, match=r"."):
            await ask_streaming(client)
        assert await ask(client) == ANSWER


@on_a_loop
async def test_a_proxy_with_nothing_behind_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else has it
        listener = listen("127.0.0.1", 0)
        proxy = await WanProxy.start(listener, *taken.getsockname(), rtt_sec=0.01)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):  # an end or a reset, but no waiting
                assert await reader.read() == b""
        writer.close()
        await proxy.aclose()


@on_a_loop
async def test_an_emulator_far_away():
    async with emulated("--rtt=10ms", tls=True) as emulator, sdk(emulator) as client:
        assert await ask(client) == ANSWER
        assert (await ask_streaming(client))[0] == ANSWER
        counters = await emulator.control.counters()
        assert (counters["accepted"], counters["requests_per_connection"]) == (1, [2])


@on_a_loop
async def test_a_distance_that_cannot_be():
    with pytest.raises(ValueError, match="300 ms"):
        await TunWan.start([300])


@on_a_loop
async def test_who_may_not_is_told_why(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EngineError, match="not root"):
        await TunWan.start([10])


FAR_CLIENT = """
import asyncio, sys
from tests.emulators.emulated import ASK
import openai

async def main(url):
    async with openai.AsyncOpenAI(base_url=url, api_key="x", max_retries=0, timeout=1) as client:
        for line in sys.stdin:
            try:
                completion = await client.chat.completions.create(model="m", messages=ASK)
                print(completion.choices[0].message.content, flush=True)
            except openai.APIConnectionError as error:
                print(type(error).__name__, flush=True)

asyncio.run(main(sys.argv[1]))
"""


@TUN
@on_a_loop
async def test_two_networks_and_a_flow_that_is_forgotten():
    async with await TunWan.start([0, 10]) as wan:
        options = (f"--namespace={wan.server_namespace}", f"--host={wan.address(10)}")
        async with emulated(*options) as emulator:
            command = wan.client_command([sys.executable, "-c", FAR_CLIENT, emulator.url])
            child = await asyncio.create_subprocess_exec(
                *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path()}
            )

            async def asked():
                child.stdin.write(b"\n")
                await child.stdin.drain()
                async with asyncio.timeout(20):
                    return (await child.stdout.readline()).decode().strip()

            assert await asked() == ANSWER
            assert await asked() == ANSWER
            await wan.forget_flows()
            assert await asked() == "APITimeoutError", "in silence: no reset, no refusal"
            assert await asked() == ANSWER, "on another flow"
            await wan.heal()
            assert (await emulator.control.counters())["requests_per_connection"] == [2, 1]
            child.stdin.close()
            assert await child.wait() == 0


def path():
    return os.pathsep.join(["src", ".", *filter(None, [os.environ.get("PYTHONPATH")])])


@TUN
@on_a_loop
async def test_namespaces_are_removed():
    async with await TunWan.start([10]) as wan:
        names = {wan.client_namespace, wan.server_namespace}
        before = os.readlink("/proc/thread-self/ns/net")
        with entered(wan.server_namespace):
            assert os.readlink("/proc/thread-self/ns/net") != before
        assert os.readlink("/proc/thread-self/ns/net") == before
        assert names <= set(os.listdir("/var/run/netns"))
    assert not names & set(os.listdir("/var/run/netns"))
    await wan.aclose()


@TUN
def test_a_namespace_that_does_not_exist():
    with pytest.raises(FileNotFoundError), entered("warmline-none"):
        pass


def test_times_as_people_write_them():
    command = [sys.executable, "-m", "warmline.emulators.openai", "--rtt=fast"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    assert "100ms" in ended.stderr
