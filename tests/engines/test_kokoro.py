"""Kokoro's real loading code and real worker processes, around a graph that hums."""

import asyncio
import os
import signal
import tempfile
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from tests.engines.tiny_kokoro import write_tiny_kokoro
from tests.processes import children, open_fds
from warmline.engines.kokoro import KokoroConfig, KokoroTextToSpeech
from warmline.errors import ConfigError, EngineError, WarmUpFailed
from warmline.models import GraphCache

LONG = "This is a sentence of some length. " * 40


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_tiny_kokoro(tmp_path_factory.mktemp("kokoro"))


def config(files, **changes):
    model, voices = files
    return KokoroConfig(**{"model_path": model, "voices_path": voices, "voice": "high", "parallel": 1} | changes)


async def spoken(voice, text):
    return b"".join([pcm async for pcm in voice.synthesize(text)])


def run(files, scenario, **changes):
    async def whole():
        voice = await KokoroTextToSpeech.start(config(files, **changes))
        try:
            return await scenario(voice)
        finally:
            await voice.aclose()

    return asyncio.run(whole())


async def drain(audio):
    return [pcm async for pcm in audio]


def scratch_folders():
    return set(Path(tempfile.gettempdir()).glob("warmline-kokoro-*"))


def test_it_speaks_at_the_rate_asked_for_and_leaves_nothing(files):
    before, fds = scratch_folders(), open_fds()

    async def scenario(voice):
        text = "Good morning to you."
        whole, again = await spoken(voice, text), await spoken(voice, text)
        await voice.aclose()
        return whole, again

    (slow, slow_again), (fast, _) = (run(files, scenario, sample_rate_hz=rate) for rate in (16_000, 24_000))
    assert slow == slow_again
    assert len(slow) / 16_000 == pytest.approx(len(fast) / 24_000, rel=0.01)
    assert np.abs(np.frombuffer(slow, np.int16)).max() > 1000
    assert (children(), scratch_folders(), open_fds()) == ([], before, fds)


def test_calls_at_once_each_hear_their_own_text(files):
    async def scenario(voice):
        texts = ["One.", "Good afternoon, madam.", "Seven, eight, nine."]
        alone = [await spoken(voice, text) for text in texts]
        together = await asyncio.gather(*(spoken(voice, text) for text in texts * 3))
        return alone, together

    alone, together = run(files, scenario, parallel=2)
    assert len(set(alone)) == 3
    assert together == alone * 3


def test_the_first_sentence_comes_before_the_last_is_made(files):
    async def scenario(voice):
        pieces = [pcm async for pcm in voice.synthesize("One. Two. Three.")]
        single = [await spoken(voice, text) for text in ("One.", "Two.", "Three.")]
        return pieces, single

    pieces, single = run(files, scenario)
    assert len(pieces) >= 3
    # Two pauses of a quarter of a second stand between the sentences.
    assert len(b"".join(pieces)) / 2 == pytest.approx(sum(map(len, single)) / 2 + 2 * 4_000, abs=200)


def test_an_utterance_that_nobody_wants_stops_and_its_worker_serves_on(files):
    async def scenario(voice):
        whole = await spoken(voice, "Are you there?")
        workers = children()
        async with aclosing(voice.synthesize(LONG)) as audio:
            await anext(audio)
        after = await spoken(voice, "Are you there?")
        same = children() == workers
        return whole, after, same

    whole, after, same = run(files, scenario)
    assert after == whole
    assert same
    assert children() == []


def test_closing_in_the_middle_of_an_utterance_leaves_nothing(files):
    before = scratch_folders()

    async def scenario(voice):
        audio = voice.synthesize(LONG)
        await anext(audio)
        await audio.aclose()
        await voice.aclose()
        with pytest.raises(EngineError):
            await spoken(voice, "Hello?")

    run(files, scenario, parallel=2)
    assert (children(), scratch_folders()) == ([], before)


def test_a_worker_that_dies_is_replaced(files):
    async def scenario(voice):
        whole = await spoken(voice, "Hello.")
        template = voice._template._process.pid
        [worker] = children(template)
        audio = voice.synthesize(LONG)
        await anext(audio)
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(EngineError, match="died"):
            await drain(audio)
        after = await spoken(voice, "Hello.")
        return whole == after

    assert run(files, scenario)


def test_with_more_threads_every_worker_has_a_session_of_its_own(files):
    async def scenario(voice):
        audio = await asyncio.gather(spoken(voice, "Hello."), spoken(voice, "Hello."))
        return audio

    first, second = run(files, scenario, threads=2, parallel=2)
    assert first == second != b""


def test_the_optimised_graph_is_kept_for_the_next_start(files, tmp_path):
    async def scenario(voice):
        audio = await spoken(voice, "Hello.")
        return audio

    first = run(files, scenario, cache_dir=tmp_path / "graphs")
    [graph] = GraphCache(tmp_path / "graphs").graphs()
    assert graph.label == "kokoro.onnx"
    written = graph.path.stat().st_ino
    assert run(files, scenario, cache_dir=tmp_path / "graphs") == first
    [again] = GraphCache(tmp_path / "graphs").graphs()
    assert (again.path, again.path.stat().st_ino) == (graph.path, written)
    assert again.used_at_sec > graph.used_at_sec


def test_voice_and_speed_are_the_ones_asked_for(files):
    async def peak(voice):
        return np.abs(np.frombuffer(await spoken(voice, "Hello."), np.int16)).max()

    assert run(files, peak) == pytest.approx(4 * run(files, peak, voice="low", speed=2.0), rel=0.05)


def test_what_can_not_be_spoken(files):
    async def scenario(voice):
        nothing = await spoken(voice, "  \n ")
        with pytest.raises(EngineError, match="6000 characters"):
            await spoken(voice, "a" * 6000)
        with pytest.raises(EngineError) as raised:
            await spoken(voice, "\u200b")
        after = await spoken(voice, "Hello.")
        return nothing, str(raised.value), after

    nothing, complaint, after = run(files, scenario)
    assert (nothing, complaint) == (b"", "kokoro gave no audio")
    assert after


def test_a_model_that_stays_silent_is_a_failed_start(tmp_path):
    before = scratch_folders()
    with pytest.raises(WarmUpFailed, match="gave no audio"):
        asyncio.run(KokoroTextToSpeech.start(config(write_tiny_kokoro(tmp_path, silent=True))))
    assert (children(), scratch_folders()) == ([], before)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_voice_that_is_not_there_is_a_failed_start(files, threads):
    with pytest.raises(WarmUpFailed, match="has no voice 'nobody'"):
        asyncio.run(KokoroTextToSpeech.start(config(files, voice="nobody", threads=threads)))
    assert children() == []


def test_a_file_that_is_no_model_is_a_failed_start(files, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(WarmUpFailed, match="did not load"):
        asyncio.run(KokoroTextToSpeech.start(config(files, model_path=tmp_path / "m.onnx")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"model_path": Path("/nowhere")},
        {"voices_path": Path("/nowhere")},
        {"speed": 3},
        {"sample_rate_hz": 0},
        {"threads": 0},
        {"parallel": 1000},
    ],
)
def test_settings_out_of_range_are_refused(files, wrong):
    with pytest.raises(ConfigError):
        config(files, **wrong)
