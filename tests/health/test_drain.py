"""Who is let in, who may stay, and when it is over; on virtual time, and with a real signal."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.startup.steps import EvenClock
from warmline.errors import ConfigError, Draining
from warmline.health import Drain, Health
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


async def talk(drain: Drain, seconds: float, ended: list[float]) -> None:
    with drain.call():
        await asyncio.sleep(seconds)
        ended.append(seconds)


def test_live_calls_end_by_themselves_and_nobody_else_is_let_in() -> None:
    async def main() -> None:
        drain = Drain(grace_sec=60, clock=EvenClock())
        ended: list[float] = []
        async with asyncio.TaskGroup() as calls:
            for seconds in (5, 20, 35):
                calls.create_task(talk(drain, seconds, ended))
            await asyncio.sleep(10)
            assert drain.live == 2
            drain.begin()
            with pytest.raises(Draining, match="shutting down"), drain.call():
                raise AssertionError("not let in")
            assert await drain.finished() == 0
            assert asyncio.get_running_loop().time() == 35
        assert ended == [5, 20, 35]

    run_virtual(main())


def test_the_grace_is_counted_from_the_beginning_even_by_who_waited_before() -> None:
    async def main() -> None:
        drain = Drain(grace_sec=30, clock=EvenClock())
        ended: list[float] = []
        call = asyncio.create_task(talk(drain, 1000, ended))
        waiting = asyncio.create_task(drain.finished())
        await asyncio.sleep(100)
        assert not waiting.done()
        drain.begin()
        await asyncio.sleep(10)
        assert drain.left_sec == 20
        assert await drain.finished() == await waiting == 1
        assert asyncio.get_running_loop().time() == 130
        call.cancel()
        await asyncio.wait({call})
        assert (drain.live, ended) == (0, [])

    run_virtual(main())


def test_without_calls_it_is_over_at_once_and_beginning_again_ends_the_grace() -> None:
    async def main() -> None:
        told: list[str] = []
        empty = Drain(on_begin=lambda: told.append("given"), clock=EvenClock())
        empty.when_begun(lambda: told.append("added"))
        empty.begin()
        assert await empty.finished() == 0
        busy = Drain(grace_sec=1000, clock=EvenClock())
        with busy.call():
            busy.begin()
            busy.begin()
            assert await busy.finished() == 1
        assert asyncio.get_running_loop().time() == 0
        assert told == ["given", "added"]

    run_virtual(main())


def test_a_real_sigterm_begins_it_and_the_end_of_the_last_call_passes_it_on() -> None:
    async def main() -> None:
        passed_on = asyncio.Event()
        loop = asyncio.get_running_loop()
        drain = Drain(grace_sec=60)
        async with drain.on_sigterm():
            with drain.call():
                os.kill(os.getpid(), signal.SIGTERM)
                while not drain.begun:
                    await asyncio.sleep(0.001)
                assert not passed_on.is_set()
                loop.call_soon(before.append, "still live")
                await asyncio.sleep(0.02)
            while len(before) < 2:
                await asyncio.sleep(0.001)
        assert before == ["still live", signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) == handler

    before: list[object] = []

    def handler(number: int, frame: object) -> None:
        before.append(number)

    old = signal.signal(signal.SIGTERM, handler)
    try:
        asyncio.run(main())
    finally:
        signal.signal(signal.SIGTERM, old)


def test_where_the_loop_itself_handles_sigterm_what_follows_has_to_be_said() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, asyncio.Event().set)
        with pytest.raises(ConfigError, match="say in `then`"):
            async with Drain().on_sigterm():
                raise AssertionError("nothing would end the process")
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, asyncio.Event().set)
        async with Drain().on_sigterm(then=stop.set):
            os.kill(os.getpid(), signal.SIGTERM)
            await stop.wait()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    asyncio.run(main())


def test_somebody_who_fails_when_told_of_the_drain_keeps_it_from_nobody_else() -> None:
    async def main() -> None:
        def fail() -> None:
            raise RuntimeError("no")

        told: list[str] = []
        drain = Drain(on_begin=fail)
        drain.when_begun(lambda: told.append("added"))
        health = Health(drain=drain)
        drain.begin()
        assert await drain.finished() == 0
        assert told == ["added"]
        assert not health.probe().ready

    run_virtual(main())
