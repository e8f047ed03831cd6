"""Templates and workers that are killed: what goes on, what is made again, and how often."""

import asyncio
import os
import signal
import time

import pytest

from tests.processes import children, is_alive, open_fds
from warmline.errors import WarmUpFailed, WorkerDied
from warmline.workers import Worker, WorkerSource

ECHO = "tests.workers.echo_worker:load"


async def start() -> WorkerSource:
    return await WorkerSource.start(ECHO, {"name": "test"}, name="echo")


async def answers(worker: Worker) -> bool:
    worker.send({"n": 1})
    return await worker.receive() == {"n": 1}


async def killed_template(source: WorkerSource) -> int:
    """Returns once the source knows."""
    pid = source.template_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(5):
        while source.template_pid == pid:
            await asyncio.sleep(0.005)
    return pid


def assert_ends(pid: int) -> None:
    """Without a template its socket tells, which closes a moment before the process is gone."""
    deadline_sec = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < deadline_sec
        time.sleep(0.01)


def test_a_template_that_was_of_use_is_started_again_at_once_and_its_workers_go_on():
    async def scenario():
        source = await start()
        worker = await source.spawn()
        first = await killed_template(source)
        assert worker.alive
        assert await answers(worker)
        async with asyncio.timeout(10):
            while source.template_pid is None:  # nobody asked
                await asyncio.sleep(0.01)
        assert source.template_pid != first
        another = await source.spawn()
        assert await answers(another)
        assert await answers(worker)
        await worker.aclose()
        await another.aclose()
        await source.aclose()
        return worker.pid

    assert_ends(asyncio.run(scenario()))
    assert children() == []


def test_one_that_was_of_no_use_yet_is_started_when_somebody_asks_and_once_for_all_who_do():
    async def scenario():
        source = await start()
        await killed_template(source)
        await asyncio.sleep(0.1)
        assert source.template_pid is None
        assert children() == []
        workers = await asyncio.gather(*(source.spawn() for _ in range(5)))
        templates = []
        for worker in workers:
            worker.send({"whoami": True})
            templates.append((await worker.receive())["template"])
        assert set(templates) == {source.template_pid}
        for worker in workers:
            await worker.aclose()
        await source.aclose()

    asyncio.run(scenario())


def test_a_worker_without_a_template_still_says_that_it_died():
    async def scenario():
        source = await start()
        worker = await source.spawn()
        gone = asyncio.Event()
        worker.on_exit(gone.set)
        await killed_template(source)
        assert not gone.is_set()
        os.kill(worker.pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            await gone.wait()
        assert not worker.alive
        with pytest.raises(WorkerDied):
            await worker.receive()
        await worker.aclose()
        await source.aclose()

    asyncio.run(scenario())


def test_a_worker_without_a_template_that_hangs_is_killed():
    async def scenario():
        source = await start()
        worker = await source.spawn()
        worker.send({"hang": True})
        await killed_template(source)
        await worker.aclose()
        await source.aclose()
        return worker.pid

    assert_ends(asyncio.run(scenario()))


def test_killed_again_and_again_nothing_is_left_over():
    async def scenario():
        source = await start()
        before = open_fds()
        for _ in range(4):
            workers = [await source.spawn() for _ in range(3)]
            await killed_template(source)
            for worker in workers:
                assert await answers(worker)
                await worker.aclose()
        await (await source.spawn()).aclose()
        after = open_fds()
        await source.aclose()
        return before, after

    before, after = asyncio.run(scenario())
    assert after <= before
    assert children() == []


def test_who_waits_for_a_template_that_can_not_load_is_told_and_the_next_is_another_attempt(monkeypatch):
    async def scenario():
        source = await start()
        await killed_template(source)
        monkeypatch.setattr(source, "_preload", "tests.workers.echo_worker:load_and_fail")
        outcomes = await asyncio.gather(*(source.spawn() for _ in range(3)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [WarmUpFailed] * 3
        monkeypatch.setattr(source, "_preload", ECHO)
        worker = await source.spawn()
        assert await answers(worker)
        await worker.aclose()
        await source.aclose()

    asyncio.run(scenario())


def test_a_source_that_is_closed_gives_no_worker_and_starts_nothing():
    async def scenario():
        source = await start()
        worker = await source.spawn()
        await source.aclose()
        with pytest.raises(WorkerDied):
            await source.spawn()
        await worker.aclose()
        await source.aclose()

    asyncio.run(scenario())
    assert children() == []


def test_closed_while_a_template_loads_leaves_no_process():
    async def scenario():
        source = await start()
        worker = await source.spawn()
        await killed_template(source)
        await asyncio.sleep(0.02)  # the next one loads
        await source.aclose()
        await worker.aclose()

    asyncio.run(scenario())
    assert children() == []


def test_a_message_that_was_cut_in_two_by_a_cancellation_arrives_whole():
    async def scenario():
        source = await start()
        worker = await source.spawn()
        worker.send({"n": 1})
        whole = b"x" * 1_000_000
        receiving = asyncio.create_task(worker.receive())
        assert await receiving == {"n": 1}
        worker.send(whole)
        for _ in range(200):
            receiving = asyncio.create_task(worker.receive())
            await asyncio.sleep(0.001)
            if receiving.done():
                break
            receiving.cancel()
            await asyncio.wait([receiving])
        assert await receiving == whole
        await worker.aclose()
        await source.aclose()

    asyncio.run(scenario())
