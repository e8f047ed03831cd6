"""The last step of the warm-up: it counts only when the model itself has answered, and leaves little to collect."""

import asyncio
import gc
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.shared_cache import shared_cache
from warmline.agent.rehearsal import rehearse
from warmline.agent.start_plan import import_steps
from warmline.agent.warm_start import WarmStart
from warmline.clock import SystemClock
from warmline.errors import EngineError, WarmUpFailed
from warmline.settings import Settings, load_scenario


async def warmed(tmp_path, **choices):
    """The report of a start, and whether calls could be answered after it."""
    settings = Settings(port=0, cache_dir=shared_cache(tmp_path), **choices)
    start = WarmStart(settings, load_scenario(), clock=SystemClock(), emit=lambda _: None)
    async with start:
        return await start.plan.finished(), await start.kit()


def test_an_apology_is_no_rehearsal(tmp_path):
    """The voice says that nothing can be answered: a spoken answer, and no proof of a model."""
    nobody = {"llm_base_url": "http://127.0.0.1:9/v1", "llm_model": "none"}
    report, kit = asyncio.run(warmed(tmp_path, **nobody))
    rehearsal = report["rehearsal"]
    assert (rehearsal.state, rehearsal.stands) == ("failed", False)
    assert rehearsal.error == (
        "WarmUpFailed: the rehearsal was answered with an apology: the language model said nothing"
    )
    assert kit.greeting


def test_an_answer_of_the_model_is_one(tmp_path):
    report, _ = asyncio.run(warmed(tmp_path, llm_base_url=None))
    assert report["rehearsal"].evidence == "a spoken answer"
    assert report.failed == ()


class Mute:
    """A voice that fails."""

    sample_rate_hz = 16_000

    def __init__(self, failure):
        self.failure = failure

    async def synthesize(self, text):
        raise self.failure
        yield b""  # what makes it a generator


@asynccontextmanager
async def warm_kit(tmp_path):
    settings = Settings(port=0, cache_dir=shared_cache(tmp_path), llm_base_url=None)
    async with WarmStart(settings, load_scenario(), clock=SystemClock(), emit=lambda _: None) as start:
        yield await start.kit()


@pytest.mark.parametrize("failure", [EngineError("no sound"), RuntimeError("a defect")])
def test_a_voice_that_cannot_say_the_callers_part_is_named(tmp_path, failure):
    async def scenario():
        async with warm_kit(tmp_path) as kit:
            with pytest.raises(WarmUpFailed, match="the voice did not say") as failed:
                await rehearse(replace(kit, speech=Mute(failure)), SystemClock(), timeout_sec=10)
            assert failed.value.__cause__ is failure

    asyncio.run(scenario())


class Slow(Mute):
    """A voice that takes for ever."""

    async def synthesize(self, text):
        await asyncio.Event().wait()
        yield b""


def test_so_is_one_that_does_not_end(tmp_path):
    async def scenario():
        async with warm_kit(tmp_path) as kit:
            with pytest.raises(WarmUpFailed, match=r"before the voice had said the caller's part \(idle\)"):
                await rehearse(replace(kit, speech=Slow(None)), SystemClock(), timeout_sec=0.5)

    asyncio.run(scenario())


def test_a_scenario_without_phrases_is_rehearsed_too(tmp_path):
    async def scenario():
        async with warm_kit(tmp_path) as kit:
            without = replace(kit, scenario=replace(kit.scenario, phrases={}))
            return await rehearse(without, SystemClock(), timeout_sec=10)

    assert asyncio.run(scenario())


@pytest.fixture
def unfrozen():
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
def test_modules_that_were_loaded_are_out_of_the_collectors_sight():
    """Else the collection at the end of the warm-up, while calls may be live, would walk all of them."""
    for step in import_steps(Settings(), all_of_a_call=True):
        step.run()
        assert len(gc.get_objects()) < gc.get_freeze_count() / 10
