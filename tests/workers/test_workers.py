import asyncio

import pytest

from tests.processes import children, is_alive, open_fds
from warmline.errors import WarmUpFailed, WorkerDied
from warmline.workers import WorkerTemplate

ECHO = "tests.workers.echo_worker:load"


async def start() -> WorkerTemplate:
    return await WorkerTemplate.start(ECHO, {"name": "test"}, name="echo")


def test_a_worker_echoes_control_and_raw_frames_in_order():
    async def scenario():
        template = await start()
        worker = await template.spawn()
        sent = [{"n": 1}, b"\x00\xff" * 5000, {"text": "überall"}, b""]
        for message in sent:
            worker.send(message)
        received = [await worker.receive() for _ in sent]
        await worker.aclose()
        await template.aclose()
        return sent, received

    sent, received = asyncio.run(scenario())
    assert received == sent


def test_every_worker_is_a_process_of_its_own_with_what_the_template_loaded():
    async def scenario():
        template = await start()
        workers = await asyncio.gather(*(template.spawn() for _ in range(5)))
        answers = []
        for worker in workers:
            worker.send({"whoami": True})
            answers.append(await worker.receive())
        for worker in workers:
            await worker.aclose()
        await template.aclose()
        return answers

    answers = asyncio.run(scenario())
    assert len({answer["pid"] for answer in answers}) == 5
    assert len({answer["template"] for answer in answers}) == 1
    assert {answer["config"] for answer in answers} == {"test"}


def test_a_template_that_loads_numpy_has_one_thread_so_that_it_may_fork():
    async def scenario():
        template = await WorkerTemplate.start("tests.workers.echo_worker:load_numpy", {}, name="numpy")
        worker = await template.spawn()
        answer = await worker.receive()
        await worker.aclose()
        await template.aclose()
        return answer

    assert asyncio.run(scenario()) == {"threads": 1}


def test_a_worker_that_dies_says_so_and_harms_nobody():
    async def scenario():
        template = await start()
        dying, other = await template.spawn(), await template.spawn()
        gone = asyncio.Event()
        dying.on_exit(gone.set)
        dying.send({"die": 3})
        with pytest.raises(WorkerDied):
            await dying.receive()
        await gone.wait()
        assert not dying.alive
        other.send({"still": "here"})
        assert await other.receive() == {"still": "here"}
        await dying.aclose()
        await other.aclose()
        await template.aclose()

    asyncio.run(scenario())


def test_a_worker_that_does_not_end_is_killed():
    async def scenario():
        template = await start()
        worker = await template.spawn()
        worker.send({"hang": True})
        await worker.aclose()
        pid = worker.pid
        await template.aclose()
        return pid

    assert not is_alive(asyncio.run(scenario()))


def test_closing_gives_every_process_and_descriptor_back():
    async def scenario():
        before = open_fds()
        template = await start()
        for _ in range(50):
            worker = await template.spawn()
            worker.send({"n": 1})
            await worker.receive()
            await worker.aclose()
        await template.aclose()
        return before, open_fds()

    before, after = asyncio.run(scenario())
    assert after <= before
    assert children() == []


def test_a_spawn_that_nobody_waits_for_leaves_no_worker_behind():
    async def scenario():
        template = await start()
        spawning = asyncio.create_task(template.spawn())
        await asyncio.sleep(0)
        spawning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await spawning
        worker = await template.spawn()  # the template is alive and has dealt with the one before
        async with asyncio.timeout(5):
            while len(children()) > 2:
                await asyncio.sleep(0.01)
        await worker.aclose()
        await template.aclose()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("preload", "complaint"),
    [
        ("tests.workers.echo_worker:load_and_fail", "no such model"),
        ("tests.workers.no_such_module:load", "No module named"),
        ("tests.workers.echo_worker:load_forever", "did not load within"),
    ],
)
def test_a_template_that_can_not_load_fails_with_the_reason(preload, complaint):
    async def scenario():
        await WorkerTemplate.start(preload, {}, name="broken", start_timeout_sec=1.0)

    with pytest.raises(WarmUpFailed, match=complaint):
        asyncio.run(scenario())
    assert children() == []


def test_without_its_template_nothing_can_be_spawned():
    async def scenario():
        template = await start()
        await template.aclose()
        with pytest.raises(WorkerDied):
            await template.spawn()

    asyncio.run(scenario())
