import asyncio

import numpy as np
import pytest

from warmline.agent.greeting import is_stray_hello, render_sentence, trim_leading_silence
from warmline.errors import WarmUpFailed


@pytest.mark.parametrize("text", ["", "hello", "Hello?", "uh hello hello", "hi", "is anybody there", "yes hello"])
def test_who_only_makes_sure_of_being_heard_is_stray(text):
    assert is_stray_hello(text)


@pytest.mark.parametrize("text", ["hello i would like to book a table", "no", "what are your opening hours", "high"])
def test_who_says_something_is_not(text):
    assert not is_stray_hello(text)


def test_silence_before_the_first_audible_sample_goes():
    pcm = np.array([0, 50, -100, 900, 0, 0], np.int16).tobytes()
    assert np.frombuffer(trim_leading_silence(pcm), np.int16).tolist() == [900, 0, 0]
    assert trim_leading_silence(bytes(100)) == b""


class Voice:
    sample_rate_hz = 16_000

    def __init__(self, pcm):
        self.pcm = pcm

    async def synthesize(self, text):
        yield self.pcm


def test_a_greeting_that_can_not_be_heard_is_a_failed_warm_up():
    with pytest.raises(WarmUpFailed):
        asyncio.run(render_sentence(Voice(bytes(3200)), "Hello."))
