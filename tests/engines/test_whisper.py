"""Whisper's real loading code around random weights: what it says is nonsense, but the same nonsense for a sound."""

import asyncio
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.engines.tiny_whisper import write_tiny_whisper
from warmline.engines.protocols import Transcript
from warmline.engines.whisper import WhisperConfig, WhisperSpeechToText, WhisperWeights
from warmline.errors import ConfigError, EngineError, WarmUpFailed
from warmline.models import ModelRegistry


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny", seed=6)


def config(folder, **changes):
    return WhisperConfig(**{"model_path": folder, "threads": 1, "device": "cpu", "max_tokens": 24} | changes)


def tone(period_samples, seconds=1.0):
    samples = 12_000 * np.sin(np.arange(int(16_000 * seconds)) / period_samples)
    return samples.astype(np.int16).tobytes()


SOUNDS = [tone(period) for period in (3, 9, 15)]


async def heard(stream, audio):
    stream.begin()
    for start in range(0, len(audio), 640):
        stream.feed(audio[start : start + 640])
    return await stream.finish()


def run(folder, scenario, **changes):
    async def whole():
        ear = await WhisperSpeechToText.start(config(folder, **changes), ModelRegistry())
        try:
            return await scenario(ear)
        finally:
            await ear.aclose()

    return asyncio.run(whole())


def test_each_sound_has_its_words_and_calls_at_once_do_not_mix_them(folder):
    async def scenario(ear):
        assert ear.sample_rate_hz == 16_000
        stream = await ear.open_stream()
        alone = [await heard(stream, sound) for sound in SOUNDS]
        streams = [await ear.open_stream() for _ in range(9)]
        together = await asyncio.gather(*(heard(s, sound) for s, sound in zip(streams, SOUNDS * 3, strict=True)))
        return alone, together

    alone, together = run(folder, scenario, parallel=2)
    assert together == alone * 3
    assert len({each.text for each in alone}) == len(SOUNDS)
    assert all(each.source == "whisper" and each.text and 0 < each.confidence <= 1 for each in alone)


def test_a_model_that_says_times_unasked_comes_to_an_end(tmp_path):
    """With these weights, faster-whisper would go back to the time that was said, for ever."""

    async def scenario(ear):
        return await heard(await ear.open_stream(), tone(3))

    assert run(write_tiny_whisper(tmp_path / "tiny", seed=1), scenario).text


def test_nothing_is_heard_where_nothing_was_said(folder):
    async def scenario(ear):
        stream = await ear.open_stream()
        without_beginning = await stream.finish()
        stream.feed(SOUNDS[0])
        fed_before = await heard(stream, b"")
        stream.begin()
        stream.feed(bytes(640))
        return without_beginning, fed_before, await stream.finish()

    assert run(folder, scenario) == (Transcript("", 0.0, ""),) * 3


def test_an_utterance_that_is_begun_anew_forgets_the_old_one(folder):
    async def scenario(ear):
        stream = await ear.open_stream()
        reference = await heard(stream, SOUNDS[1])
        stream.begin()
        stream.feed(SOUNDS[0])
        return reference, await heard(stream, SOUNDS[1])

    reference, again = run(folder, scenario)
    assert again == reference


def test_what_is_said_beyond_the_longest_utterance_is_not_kept(folder):
    async def scenario(ear):
        stream = await ear.open_stream()
        stream.begin()
        for _ in range(20):
            stream.feed(SOUNDS[0])
        kept = len(stream._heard)
        return kept, await stream.finish(), await heard(stream, SOUNDS[0] * 2)

    kept, long, short = run(folder, scenario, max_utterance_sec=2.0)
    assert kept == 64_000
    assert long == short


def test_the_loop_goes_on_while_it_transcribes(folder):
    async def scenario(ear):
        stream = await ear.open_stream()
        transcription = asyncio.create_task(heard(stream, tone(5, 4)))
        turns = 0
        while not transcription.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert run(folder, scenario) > 10


def test_who_gives_up_frees_the_thread_for_the_next(folder):
    async def scenario(ear):
        first, second = await ear.open_stream(), await ear.open_stream()
        reference = await heard(second, SOUNDS[0])
        waiting = [asyncio.create_task(heard(first, tone(5, 55))) for _ in range(3)]
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        after = await heard(second, SOUNDS[0])
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        return after == reference, [type(each) for each in outcomes]

    assert run(folder, scenario) == (True, [asyncio.CancelledError] * 3)


def test_closing_tells_who_waits_and_ends_every_thread(folder):
    async def scenario():
        registry = ModelRegistry()
        ear = await WhisperSpeechToText.start(config(folder), registry)
        streams = [await ear.open_stream() for _ in range(3)]
        waiting = [asyncio.create_task(heard(stream, tone(5, 40))) for stream in streams]
        await asyncio.sleep(0.01)
        await ear.aclose()
        await ear.aclose()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(EngineError, match="closed"):
            await ear.open_stream()
        with pytest.raises(EngineError, match="closed"):
            await heard(streams[0], SOUNDS[0])
        ours = [each.name for each in threading.enumerate() if each.name.startswith("whisper")]
        return [type(each) for each in outcomes], ours, registry.loaded()

    outcomes, ours, loaded = asyncio.run(scenario())
    assert (outcomes, ours, loaded) == ([EngineError] * 3, [], ())


def test_two_engines_share_one_load_of_the_weights(folder):
    async def scenario():
        registry = ModelRegistry()
        engines = [await WhisperSpeechToText.start(config(folder), registry) for _ in range(2)]
        counts = registry.counts()
        await engines[0].aclose()
        stream = await engines[1].open_stream()
        result = await heard(stream, SOUNDS[0])
        await engines[1].aclose()
        return counts, result, registry.counts().released

    counts, result, released = asyncio.run(scenario())
    assert (counts.loaded, counts.shared, released) == (1, 1, 1)
    assert result.text


def test_an_encoder_of_another_shape_is_a_failed_warm_up(folder):
    source = WhisperWeights(config(folder))
    weights = source.load()
    whole = weights.encode
    weights.encode = lambda features: whole(features[:, :1000])
    with pytest.raises(WarmUpFailed, match="encoder gave"):
        source.exercise(weights)


def test_weights_that_do_not_load_are_a_failed_start(folder, tmp_path):
    broken = write_tiny_whisper(tmp_path / "broken")
    (broken / "model.bin").write_bytes(b"no weights")
    with pytest.raises(WarmUpFailed, match="did not load"):
        asyncio.run(WhisperSpeechToText.start(config(broken), ModelRegistry()))


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "config.json"])
def test_what_is_missing_is_named_and_never_downloaded(tmp_path, name):
    folder = write_tiny_whisper(tmp_path / "tiny")
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=f"lacks {name}"):
        config(folder)


@pytest.mark.parametrize(
    "wrong", [{"threads": -1}, {"parallel": 0}, {"beam_size": 0}, {"max_tokens": 448}, {"max_utterance_sec": 0}]
)
def test_settings_out_of_range_are_refused(folder, wrong):
    with pytest.raises(ConfigError):
        config(folder, **wrong)


def test_importing_the_engine_does_not_import_its_library():
    code = "import sys, warmline.engines.whisper; print({'faster_whisper', 'ctranslate2', 'av'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
