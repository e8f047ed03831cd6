import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from tests.processes import children
from warmline.engines.espeak import EspeakConfig, EspeakTextToSpeech
from warmline.errors import ConfigError, EngineError, WarmUpFailed


async def spoken(voice, text):
    return b"".join([piece async for piece in voice.synthesize(text)])


def loudness(pcm):
    """RMS of every 20 ms; espeak-ng's breath noise is random, so its audio is never the same to the bit."""
    samples = np.frombuffer(pcm, np.int16).astype(float)
    return np.sqrt(np.mean(samples[: len(samples) // 320 * 320].reshape(-1, 320) ** 2, axis=1))


def alike(one, other):
    first, second = loudness(one), loudness(other)
    shared = min(len(first), len(second))
    return abs(len(first) - len(second)) <= 2 and np.corrcoef(first[:shared], second[:shared])[0, 1] > 0.8


def test_a_text_becomes_audible_audio_at_the_wanted_rate():
    async def scenario():
        voice = await EspeakTextToSpeech.start(EspeakConfig())
        short, long = await spoken(voice, "Yes."), await spoken(voice, "We are open every day from noon until ten.")
        await voice.aclose()
        return np.frombuffer(short, np.int16), np.frombuffer(long, np.int16)

    short, long = asyncio.run(scenario())
    assert np.abs(short).max() > 3000
    assert 1.5 < len(long) / 16_000 < 4
    assert len(short) < len(long)


def test_utterances_at_the_same_time_do_not_mix():
    texts = ["One table for two.", "The kitchen closes at ten.", "Goodbye."]

    async def scenario():
        voice = await EspeakTextToSpeech.start(EspeakConfig())
        alone = [await spoken(voice, text) for text in texts]
        together = await asyncio.gather(*(spoken(voice, text) for text in texts))
        await voice.aclose()
        return alone, together

    alone, together = asyncio.run(scenario())
    for i, audio in enumerate(together):
        assert [alike(audio, reference) for reference in alone] == [i == j for j in range(len(texts))]


def test_an_utterance_that_nobody_wants_any_more_stops_and_the_next_is_whole():
    async def scenario():
        voice = await EspeakTextToSpeech.start(EspeakConfig())
        whole = await spoken(voice, "Are you there?")
        async with aclosing(voice.synthesize("This goes on and on. " * 100)) as audio:
            await anext(audio)
        after = await spoken(voice, "Are you there?")
        await voice.aclose()
        return whole, after

    whole, after = asyncio.run(scenario())
    assert alike(after, whole)
    assert children() == []


def test_markup_in_a_text_is_not_obeyed():
    async def scenario():
        voice = await EspeakTextToSpeech.start(EspeakConfig())
        plain = await spoken(voice, "hello")
        marked = await spoken(voice, '<break time="3s"/>hello')
        await voice.aclose()
        return plain, marked

    plain, marked = asyncio.run(scenario())
    assert len(marked) != len(plain)  # it was read out
    assert len(marked) / 32_000 < 5


def test_a_voice_that_does_not_exist_fails_at_the_start():
    with pytest.raises(WarmUpFailed, match="no voice"):
        asyncio.run(EspeakTextToSpeech.start(EspeakConfig(voice="klingon-opera")))
    assert children() == []


def test_a_text_without_end_is_refused():
    async def scenario():
        voice = await EspeakTextToSpeech.start(EspeakConfig())
        try:
            await spoken(voice, "a" * 10_000)
        finally:
            await voice.aclose()

    with pytest.raises(EngineError, match="10000 characters"):
        asyncio.run(scenario())


@pytest.mark.parametrize("wrong", [{"rate_wpm": 20}, {"voice": ""}, {"voice": "a\nb"}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        EspeakConfig(**wrong)
