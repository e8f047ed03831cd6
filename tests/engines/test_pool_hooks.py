"""Pools of real ears and voices, whose processes really die."""

import asyncio
import os
import signal
from contextlib import aclosing, asynccontextmanager

import pytest

from tests.engines.test_espeak import alike, spoken
from tests.engines.test_pocketsphinx import config, heard, pcm
from tests.processes import children
from tests.shared_cache import shared_cache
from warmline.engines import Pooled, Transcript, ear_hooks, voice_hooks
from warmline.engines.espeak import EspeakConfig, EspeakTextToSpeech
from warmline.engines.pocketsphinx import PocketsphinxSpeechToText
from warmline.errors import EngineError, PoolTimeout
from warmline.pool import AllocationTier, WarmableResourcePool

HELLO = "Are you there?"


@asynccontextmanager
async def ears(tmp_path, **knobs):
    engine = await PocketsphinxSpeechToText.start(config(shared_cache(tmp_path)))
    async with pooled(engine, ear_hooks(engine), **knobs) as pool:
        yield pool, engine


@asynccontextmanager
async def voices(**knobs):
    engine = await EspeakTextToSpeech.start(EspeakConfig())
    async with pooled(engine, voice_hooks(engine), **knobs) as pool:
        yield pool, engine


@asynccontextmanager
async def pooled(engine, hooks, **knobs):
    try:
        async with WarmableResourcePool(
            **hooks.arguments(), **{"warm_pool_size": 1, "retry_min_sec": 0.01} | knobs
        ) as pool:
            assert await pool.wait_warm()
            yield pool
    finally:
        await engine.aclose()
    assert pool.snapshot()["counts"]["live"] == 0
    assert children() == []


async def until(true):
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


def closed(pool):
    return {cause: count for cause, count in pool.snapshot()["closed"].items() if count}


def test_an_ear_that_heard_a_caller_is_closed_and_one_that_did_not_is_lent_again(tmp_path):
    async def scenario():
        async with ears(tmp_path, enable_background_warmup=False) as (pool, _):
            async with pool.lease("silent") as lease:
                unused = lease.resource
                assert lease.tier is AllocationTier.WARM
            assert await pool.wait_warm(1)
            async with pool.lease("speaks") as lease:
                assert lease.resource is unused
                lease.resource.begin()
            async with pool.lease("next") as lease:
                assert lease.resource is not unused
                assert lease.tier is AllocationTier.COLD
                assert (await heard(lease.resource, pcm("parking.wav"))).text == "where can i park my car"
            await until(lambda: closed(pool) == {"reset_failed": 2})

    asyncio.run(scenario())


def test_a_voice_serves_one_caller_after_the_other_also_after_being_cut_off():
    async def scenario():
        async with voices(enable_background_warmup=False) as (pool, _):
            async with pool.lease("first") as lease:
                voice = lease.resource
                whole = await spoken(voice, HELLO)
                async with aclosing(voice.synthesize("This goes on and on. " * 100)) as audio:
                    await anext(audio)
            assert await pool.wait_warm(1)
            async with pool.lease("second") as lease:
                assert lease.resource is voice
                assert alike(await spoken(voice, HELLO), whole)
            assert await pool.wait_warm(1)
            counters = pool.snapshot()["counters"]
            assert (counters["created"], counters["recycled"]) == (1, 2)

    asyncio.run(scenario())


def test_an_utterance_cut_off_keeps_the_worker_and_the_next_is_whole():
    async def scenario():
        async with voices() as (pool, _), pool.lease("call") as lease:
            whole = await spoken(lease.resource, HELLO)
            worker = lease.resource._idle
            for _ in range(5):
                async with aclosing(lease.resource.synthesize("This goes on and on. " * 100)) as audio:
                    await anext(audio)
                assert alike(await spoken(lease.resource, HELLO), whole)
            assert lease.resource._idle is worker

    asyncio.run(scenario())


def test_an_utterance_that_was_never_ended_does_not_keep_the_next_one_waiting():
    async def scenario():
        async with voices(enable_background_warmup=False) as (pool, _):
            async with pool.lease("call") as lease:
                left = lease.resource.synthesize("This goes on and on. " * 100)
                await anext(left)
                assert len(await spoken(lease.resource, HELLO)) > 10_000
            await left.aclose()

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["ear", "voice"])
def test_a_spare_that_is_killed_is_replaced_without_being_asked_for(tmp_path, kind):
    async def scenario():
        async with ears(tmp_path) if kind == "ear" else voices() as (pool, engine):
            spare = children(engine._source.template_pid)
            os.kill(spare[0], signal.SIGKILL)
            await until(lambda: closed(pool) == {"died": 1})
            assert await pool.wait_warm()
            assert len(spare) == 1
            assert children(engine._source.template_pid) not in ([], spare)
            async with pool.lease("call") as lease:
                assert lease.tier is AllocationTier.WARM

    asyncio.run(scenario())


def test_a_leased_ear_that_is_killed_hears_the_next_utterance_and_is_closed_after_the_call(tmp_path):
    async def scenario():
        async with ears(tmp_path) as (pool, _):
            async with pool.lease("call") as lease:
                os.kill(lease.resource._worker.pid, signal.SIGKILL)
                with pytest.raises(EngineError):
                    await heard(lease.resource, pcm("parking.wav"))
                again = await heard(lease.resource, pcm("parking.wav"))
            await until(lambda: closed(pool) == {"died": 1})
            return again.text

    assert asyncio.run(scenario()) == "where can i park my car"


def test_a_leased_voice_that_is_killed_says_the_next_sentence():
    async def scenario():
        async with voices() as (pool, _), pool.lease("call") as lease:
            whole = await spoken(lease.resource, HELLO)
            os.kill(lease.resource._idle.pid, signal.SIGKILL)
            await until(lambda: lease.resource.alive.done())
            assert alike(await spoken(lease.resource, HELLO), whole)

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["ear", "voice"])
def test_calls_that_come_while_there_is_no_template_wait_for_the_next_one(tmp_path, kind):
    async def scenario():
        async with ears(tmp_path) if kind == "ear" else voices() as (pool, engine):
            os.kill(engine._source.template_pid, signal.SIGKILL)
            async with pool.lease("first") as first, pool.lease("second") as second, pool.lease("third") as third:
                tiers = [lease.tier for lease in (first, second)]
                assert len({id(lease.resource) for lease in (first, second, third)}) == 3
            assert tiers == [AllocationTier.WARM, AllocationTier.COLD]
            assert "died" not in closed(pool)  # the spare outlived its template

    asyncio.run(scenario())


def test_calls_do_not_wait_for_a_template_beyond_their_deadline(tmp_path):
    async def scenario():
        async with voices(warm_pool_size=0) as (pool, engine):
            os.kill(engine._source.template_pid, signal.SIGSTOP)
            with pytest.raises(PoolTimeout):
                async with pool.lease("call", timeout=0.2):
                    pass

    asyncio.run(scenario())


class OwnEngine:
    """A user's own, which knows nothing of pools: both an ear and a voice."""

    sample_rate_hz = 16_000

    def __init__(self):
        self.opened = self.closed = 0

    async def open_stream(self):
        self.opened += 1
        return OwnStream(self)

    async def synthesize(self, text):
        yield text.encode()

    async def aclose(self):
        raise AssertionError("a call does not close the engine")


class OwnStream:
    def __init__(self, engine):
        self._engine = engine

    def begin(self):
        pass

    def feed(self, pcm):
        pass

    async def finish(self):
        return Transcript("hello")

    async def aclose(self):
        self._engine.closed += 1


def test_an_engine_without_hooks_works_with_a_stream_for_each_call_and_one_voice_for_all():
    async def scenario():
        engine = OwnEngine()
        assert not isinstance(engine, Pooled)
        assert not ear_hooks(engine).worth_keeping
        async with WarmableResourcePool(**ear_hooks(engine).arguments(), warm_pool_size=0) as pool:
            for call in range(2):
                async with pool.lease(str(call)) as lease:
                    assert (await lease.resource.finish()).text == "hello"
        assert (engine.opened, engine.closed) == (2, 2)
        async with (
            WarmableResourcePool(**voice_hooks(engine).arguments(), warm_pool_size=0) as pool,
            pool.lease("a") as first,
            pool.lease("b") as second,
        ):
            assert first.resource is not second.resource
            assert await spoken(first.resource, "x") == await spoken(second.resource, "x") == b"x"

    asyncio.run(scenario())
