import asyncio
import contextlib
import hashlib

import pytest

from warmline.agent.playout import Playout
from warmline.clock import SystemClock

FRAME = 640


class Ears:
    """Writes down what the mouth says and tells."""

    def __init__(self):
        self.happened = []
        self.pcm = bytearray()

    async def send_audio(self, pcm):
        assert len(pcm) == FRAME
        self.pcm += pcm
        self.happened.append("frame")

    async def on_started(self, turn):
        self.happened.append(("started", turn))

    async def on_first_sent(self, turn):
        self.happened.append(("first sent", turn))

    async def on_stopped(self, turn, samples, sha256, *, interrupted):
        self.happened.append(("stopped", turn, samples, sha256, interrupted))

    def stops(self):
        return [each for each in self.happened if each[0] == "stopped"]


@contextlib.asynccontextmanager
async def talking():
    ears = Ears()
    playout = Playout(SystemClock(), ears)
    running = asyncio.create_task(playout.run())
    try:
        yield playout, ears
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def test_an_answer_is_framed_padded_counted_and_summed():
    async def scenario():
        async with talking() as (playout, ears):
            playout.say(1, b"\x01\x00" * 500)
            playout.say(1, b"\x02\x00" * 100)
            playout.end(1)
            await until(ears.stops)
        return ears

    ears = asyncio.run(scenario())
    said = b"\x01\x00" * 500 + b"\x02\x00" * 100
    assert ears.pcm == said.ljust(2 * FRAME, b"\0")
    assert ears.happened == [
        ("started", 1),
        "frame",
        ("first sent", 1),
        "frame",
        ("stopped", 1, 640, hashlib.sha256(ears.pcm).hexdigest(), False),
    ]


def test_answers_follow_one_another_and_actions_keep_their_place():
    async def scenario():
        async with talking() as (playout, ears):

            async def note(text):
                ears.happened.append(text)

            playout.then(lambda: note("before"))
            playout.say(1, bytes(FRAME))
            playout.then(lambda: note("after one"))
            playout.end(1)
            playout.say(2, bytes(FRAME))
            playout.end(2)
            playout.then(lambda: note("after two"))
            await until(lambda: "after two" in ears.happened and len(ears.stops()) == 2)
        return ears.happened

    happened = [each[:2] if isinstance(each, tuple) else each for each in asyncio.run(scenario())]
    assert happened[:5] == ["before", ("started", 1), "frame", ("first sent", 1), "after one"]
    assert happened[5:9] == [("stopped", 1), ("started", 2), "frame", ("first sent", 2)]
    assert set(happened[9:]) == {"after two", ("stopped", 2)}


def test_a_flush_drops_what_is_left_and_says_how_much_went_out():
    async def scenario():
        async with talking() as (playout, ears):
            playout.say(3, bytes(FRAME * 500))
            await until(lambda: "frame" in ears.happened)
            assert playout.speaking == 3
            assert playout.flush() == 3
            assert playout.speaking is None
            assert playout.flush() is None
            await until(ears.stops)
            playout.say(4, bytes(FRAME))
            playout.end(4)
            await until(lambda: len(ears.stops()) == 2)
        return ears

    ears = asyncio.run(scenario())
    cut, whole = ears.stops()
    assert (cut[1], cut[4]) == (3, True)
    assert 320 <= cut[2] < 500 * 320
    assert (whole[1], whole[2], whole[4]) == (4, 320, False)
    assert len(ears.pcm) == (cut[2] + whole[2]) * 2


def test_a_flush_forgets_the_actions_too():
    async def scenario():
        async with talking() as (playout, ears):
            playout.say(1, bytes(FRAME * 500))
            playout.then(lambda: pytest.fail("it was flushed"))
            await until(lambda: "frame" in ears.happened)
            playout.flush()
            await until(ears.stops)
            await asyncio.sleep(0.02)

    asyncio.run(scenario())


def test_what_the_listener_raises_ends_the_sending():
    class Gone(Exception):
        pass

    class Deaf(Ears):
        async def send_audio(self, pcm):
            raise Gone

    async def scenario():
        playout = Playout(SystemClock(), Deaf())
        playout.say(1, bytes(FRAME))
        await playout.run()

    with pytest.raises(Gone):
        asyncio.run(scenario())
