import asyncio
import os
import signal
import subprocess
import sys
import time

import openai
import pytest

from tests.processes import children, is_alive, open_fds, threads
from warmline.emulators import EmulatorProcess
from warmline.emulators.openai import main
from warmline.errors import EngineError


async def ask(url):
    async with openai.AsyncOpenAI(base_url=url, api_key="x", max_retries=0) as client:
        messages = [{"role": "user", "content": "are you a robot"}]
        completion = await client.chat.completions.create(model="m", messages=messages)
        return completion.choices[0].message.content


def test_it_serves_until_it_is_closed():
    async def run():
        async with await EmulatorProcess.start(token_interval_ms=0) as emulator:
            assert emulator.url.startswith("http://127.0.0.1:")
            assert "computer" in await ask(emulator.url)
            pid = emulator.pid
            assert is_alive(pid)
        assert pid not in children(), "ended and reaped"
        await emulator.aclose()

    asyncio.run(run())


def test_nothing_is_left_behind():
    async def rounds(number):
        for _ in range(number):
            emulator = await EmulatorProcess.start()
            await emulator.aclose()
        await asyncio.sleep(0.05)
        return open_fds(), threads(), children(), len(asyncio.all_tasks())

    async def run():
        before = await rounds(1)
        assert await rounds(4) == before

    asyncio.run(run())


def test_two_at_a_time():
    async def run():
        one, two = await asyncio.gather(EmulatorProcess.start(), EmulatorProcess.start())
        assert one.url != two.url
        await one.aclose()
        assert await ask(two.url)
        await two.aclose()

    asyncio.run(run())


def test_a_child_that_cannot_start_says_why():
    async def run():
        with pytest.raises(EngineError, match=r"exit status 2\n(.|\n)*--first-token-ms"):
            await EmulatorProcess.start(first_token_ms=-5)
        assert children() == []

    asyncio.run(run())


def test_a_child_that_does_not_start_in_time():
    async def run():
        with pytest.raises(EngineError, match=r"not within 0.001 s"):
            await EmulatorProcess.start(start_timeout_sec=0.001)
        assert children() == []

    asyncio.run(run())


@pytest.mark.parametrize("delay_sec", [0, 0.01, 0.05, 0.1])
def test_cancelling_the_start_leaves_no_process(delay_sec):
    async def cancelled_start():
        task = asyncio.create_task(EmulatorProcess.start())
        await asyncio.sleep(delay_sec)
        task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
        if isinstance(ended, EmulatorProcess):  # It was faster than the cancellation.
            await ended.aclose()
        await asyncio.sleep(0.05)
        return open_fds(), threads(), children()

    async def run():
        before = await cancelled_start()
        assert [await cancelled_start() for _ in range(2)] == [before] * 2
        assert children() == []

    asyncio.run(run())


def test_cancelling_the_close_still_ends_the_process():
    async def run():
        emulator = await EmulatorProcess.start()
        os.kill(emulator.pid, signal.SIGSTOP)
        task = asyncio.create_task(emulator.aclose())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert children() == []

    asyncio.run(run())


def test_a_child_that_died_is_closed_all_the_same():
    async def run():
        emulator = await EmulatorProcess.start()
        os.kill(emulator.pid, signal.SIGKILL)
        await emulator.aclose()
        assert children() == []

    asyncio.run(run())


def test_it_ends_when_its_parent_is_killed():
    parent = """
import asyncio, sys
from warmline.emulators import EmulatorProcess
from warmline.emulators.openai import main

async def main():
    emulator = await EmulatorProcess.start()
    print(emulator.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.kill()
        process.wait(10)
        deadline = time.monotonic() + 20
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not is_alive(pid)


def test_the_working_directory_is_not_searched_for_packages(tmp_path, monkeypatch):
    (tmp_path / "starlette.py").write_text("raise SystemExit('imported from the working directory')")
    monkeypatch.chdir(tmp_path)

    async def run():
        async with await EmulatorProcess.start() as emulator:
            assert await ask(emulator.url)

    asyncio.run(run())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_beyond_this_machine_it_asks_for_a_key(host, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--host", host])
    assert ended.value.code == 2
    assert f"beyond this machine (--host {host}) a key is required" in capsys.readouterr().err
