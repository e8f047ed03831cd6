import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.processes import children
from tests.shared_cache import shared_cache
from warmline.engines.pocketsphinx import PocketsphinxConfig, PocketsphinxSpeechToText
from warmline.engines.pocketsphinx.dictionary import dictionary_text, pronounce_by_rule
from warmline.engines.pocketsphinx.model_files import model_files
from warmline.engines.pocketsphinx.slots import BUILT_IN_SLOTS
from warmline.errors import ConfigError, EngineError

DATA = Path(__file__).parents[1] / "data"
PHRASES = ("what are your opening hours", "where can i park my car", "a table for $number", "i like my grandmother")


def pcm(name):
    samples = np.frombuffer((DATA / name).read_bytes()[44:], np.int16)
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 300)
    return bytes(6400) + samples[loud[0] : loud[-1] + 1].tobytes() + bytes(8000)


async def heard(stream, audio):
    stream.begin()
    for start in range(0, len(audio), 640):
        stream.feed(audio[start : start + 640])
    return await stream.finish()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return shared_cache(tmp_path_factory.mktemp("pocketsphinx"))


def config(cache, **changes):
    return PocketsphinxConfig(**{"phrases": PHRASES, "cache_dir": cache} | changes)


def test_what_is_expected_is_heard_and_told_from_what_is_not(cache):
    async def scenario():
        ear = await PocketsphinxSpeechToText.start(config(cache))
        stream = await ear.open_stream()
        results = [await heard(stream, pcm(name)) for name in ("opening_hours.wav", "parking.wav", "phone_number.wav")]
        nothing = await heard(stream, bytes(32_000))
        await stream.aclose()
        await ear.aclose()
        return results, nothing

    (hours, parking, phone), nothing = asyncio.run(scenario())
    assert hours.text == "what are your opening hours"
    assert parking.text == "where can i park my car"
    assert phone.text.startswith("what is your")
    assert nothing.text == ""
    assert 0 <= nothing.confidence <= hours.confidence <= 1
    assert children() == []


def test_calls_do_not_share_what_they_heard(cache):
    async def scenario():
        ear = await PocketsphinxSpeechToText.start(config(cache))
        alone = await ear.open_stream()
        reference = await heard(alone, pcm("opening_hours.wav"))
        first, second = await ear.open_stream(), await ear.open_stream()
        await heard(first, pcm("parking.wav"))
        again = await heard(second, pcm("opening_hours.wav"))
        for stream in (alone, first, second):
            await stream.aclose()
        await ear.aclose()
        return reference, again

    reference, again = asyncio.run(scenario())
    assert again == reference


def test_an_utterance_that_is_begun_anew_forgets_the_old_one(cache):
    async def scenario():
        ear = await PocketsphinxSpeechToText.start(config(cache))
        stream = await ear.open_stream()
        stream.begin()
        stream.feed(pcm("parking.wav"))
        result = await heard(stream, pcm("opening_hours.wav"))
        await stream.aclose()
        await ear.aclose()
        return result.text

    assert asyncio.run(scenario()) == "what are your opening hours"


def test_an_ear_that_dies_says_so_and_hears_the_next_utterance(cache):
    async def scenario():
        ear = await PocketsphinxSpeechToText.start(config(cache))
        stream = await ear.open_stream()
        stream._worker.kill()
        with pytest.raises(EngineError):
            await heard(stream, pcm("parking.wav"))
        result = await heard(stream, pcm("parking.wav"))
        await stream.aclose()
        await ear.aclose()
        return result.text

    assert asyncio.run(scenario()) == "where can i park my car"


def test_the_model_is_made_once_and_again_when_its_files_are_not_what_they_were(tmp_path):
    def asked_for(_):
        made = model_files(("yes",), BUILT_IN_SLOTS, tmp_path / "cache")
        return made, made.language_model.stat().st_mtime_ns

    with ThreadPoolExecutor() as two:
        (made, stamp), (_, other_stamp) = two.map(asked_for, range(2))
    assert stamp == other_stamp == asked_for(0)[1]
    whole = made.language_model.read_bytes()
    made.language_model.write_bytes(whole[:100])
    assert model_files(("yes",), BUILT_IN_SLOTS, tmp_path / "cache").language_model.read_bytes() == whole
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert sorted(file.suffix for file in (tmp_path / "cache").iterdir()) == [".bin", ".dict", ".sum"]


LOAD = """
import json, sys
from warmline.engines.pocketsphinx.worker import load
load(json.loads(sys.argv[1]))
sys.exit("numpy" in sys.modules)
"""


def test_a_start_that_finds_its_files_loads_no_numpy(cache):
    """Its import would take a third of the time in which the process starts."""
    chosen = config(cache)
    model_files(chosen.all_phrases(), chosen.all_slots(), cache)
    told = json.dumps({**asdict(chosen), "cache_dir": str(cache), "prove": True})
    assert subprocess.run([sys.executable, "-c", LOAD, told], check=False).returncode == 0


def test_a_cache_that_others_may_write_to_is_refused(tmp_path):
    (tmp_path / "cache").mkdir(mode=0o777)
    (tmp_path / "cache").chmod(0o777)
    with pytest.raises(PermissionError):
        model_files(("yes",), BUILT_IN_SLOTS, tmp_path / "cache")


def test_words_without_an_entry_are_pronounced_by_rule():
    assert pronounce_by_rule("shaw") == "SH AO"
    assert pronounce_by_rule("bobbie") == "B AA B IY"
    text = dictionary_text(["two", "quagmore"], {"two": ["T UW", "T AH"]})
    assert text.splitlines() == ["quagmore " + pronounce_by_rule("quagmore"), "two T UW", "two(2) T AH"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"phrases": ("a table for $people",)}, "no slot"),
        ({"phrases": ("table for 2",)}, "no spoken word"),
        ({"slots": {"name": ("R2D2",)}}, "no spoken word"),
    ],
)
def test_what_can_not_be_spoken_is_refused(cache, wrong, complaint):
    with pytest.raises(ConfigError, match=complaint):
        config(cache, **wrong)
