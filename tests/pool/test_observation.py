"""What can be seen of a pool: snapshot, log lines, events; and that seeing it costs no caller anything."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
from typing import Any

import pytest

from warmline import events
from warmline.testing import Outcome, ScriptedProvider, run_virtual

pytestmark = pytest.mark.core

SEED_KEYS = [
    "name",
    "ready",
    "warm_pool_size",
    "warm_pool_target",
    "session_awareness",
    "active_sessions",
    "background_warmup",
    "metrics",
]
SEED_METRICS = [
    "allocations_total",
    "allocations_dedicated",
    "allocations_warm",
    "allocations_cold",
    "active_sessions",
    "warm_pool_size",
    "warmup_cycles",
    "warmup_failures",
    "timestamp",
]


def test_the_snapshot_has_the_known_keys_is_frozen_and_is_json(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, name="tts_pool", warm_pool_size=2) as pool:
            await pool.acquire_for_session("a")
            snapshot = pool.snapshot()
            assert list(snapshot)[: len(SEED_KEYS)] == SEED_KEYS
            assert set(SEED_METRICS) <= set(snapshot["metrics"])
            assert snapshot["metrics"]["timestamp"] > 1_700_000_000
            with pytest.raises(TypeError):
                snapshot["name"] = "other"
            with pytest.raises(TypeError):
                snapshot["metrics"].clear()
            assert json.loads(json.dumps(snapshot)) == snapshot
            counts = snapshot["counts"]
            parts = ("spare", "leased", "creating", "warming", "closing")
            assert sum(counts[part] for part in parts) == counts["live"] == 3

    run_virtual(main())


def test_the_log_lines(open_pool: Any, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "warmline.pool")

    async def main() -> None:
        knobs = {"session_max_age_sec": 40.0, "stale_sessions": "reclaim"}
        async with open_pool(provider, name="tts_pool", warm_pool_size=3, max_size=4, **knobs) as pool:
            session = "abc12345-and-what-follows"
            await pool.acquire_for_session(session)
            await pool.acquire_for_session(session)
            await pool.release_for_session(session)
            for number in range(4):
                await pool.acquire_for_session(f"{number}")
            await asyncio.sleep(100)

    run_virtual(main())
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    for line in (
        "[tts_pool] Pre-warming 3 resources...",
        "[tts_pool] Started background warmup (interval=30.0s)",
        "[tts_pool] Pool ready (warm_size=3, session_awareness=True)",
        "[tts_pool] Acquired WARM resource",
        "[tts_pool] Acquired DEDICATED resource for session abc12345...",
        "[tts_pool] Released session resource for abc12345...",
        "[tts_pool] Cleaned up 4 stale sessions",
    ):
        assert line in lines
    assert "what-follows" not in caplog.text


def test_a_cold_acquire_is_logged(open_pool: Any, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "warmline.pool")

    async def main() -> None:
        async with open_pool(provider, name="stt", warm_pool_size=0) as pool:
            await pool.acquire()

    run_virtual(main())
    assert "[stt] Acquired COLD resource" in caplog.messages


@pytest.mark.parametrize(("lent", "level"), [(False, logging.DEBUG), (True, logging.WARNING)])
def test_a_loop_that_stood_still_is_a_warning_while_somebody_could_hear_it(
    open_pool: Any, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture, lent: bool, level: int
) -> None:
    caplog.set_level(logging.DEBUG, "warmline.pool")

    async def main() -> None:
        async with open_pool(provider, name="stt", warm_pool_size=1, warmup_interval_sec=30.0) as pool:
            if lent:
                await pool.acquire()
            asyncio.get_running_loop().advance(31.0)  # type: ignore[attr-defined] # it is virtual
            await asyncio.sleep(0.1)
            assert pool.snapshot()["counters"]["loop_stalls"] == 1

    run_virtual(main())
    still = [record.levelno for record in caplog.records if "stood still" in record.getMessage()]
    assert still == [level]


def test_no_log_line_carries_a_providers_words(
    open_pool: Any, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def factory() -> Any:
        raise OSError("401 for key sk-secret")

    async def main() -> None:
        from warmline import WarmableResourcePool

        async with WarmableResourcePool(factory) as pool:
            await asyncio.sleep(10)
            assert "secret" not in repr(pool.snapshot())

    run_virtual(main())
    assert "OSError" in caplog.text
    assert "secret" not in caplog.text


def test_events_tell_the_story(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider, name="tts", warm_pool_size=1, max_size=1, session_max_age_sec=40.0) as pool:
            stream = pool.observe()
            await pool.acquire_for_session("a")
            with pytest.raises(TimeoutError):
                await pool.acquire(timeout=1)
            await asyncio.sleep(100)
            await pool.release_for_session("a", broken=True)
            provider.script("factory", [Outcome.ERROR, Outcome.NEVER])
            await asyncio.sleep(30)
            story = stream.drain()
            assert [type(event).__name__ for event in story] == [
                "ResourceAcquired",
                "AcquireFailed",
                "SessionFlagged",
                "ResourceClosed",
                "ResourceReleased",
                "CreationFailed",
                "HookAbandoned",
                "CreationFailed",
                "ResourceCreated",
            ]
            acquired, failed = story[0], story[1]
            assert isinstance(acquired, events.ResourceAcquired)
            assert (acquired.pool, acquired.tier, acquired.session_id) == ("tts", "warm", "a")
            assert isinstance(failed, events.AcquireFailed)
            assert failed.error == "PoolTimeout"
            assert failed.waited_ms == pytest.approx(1000)
            stream.close()
            waited = pool.observe()
            await pool.acquire()
            waiting = asyncio.create_task(pool.acquire())
            await asyncio.sleep(2)
            await pool.release(provider.open[0])
            await waiting
            told = [event for event in waited.drain() if isinstance(event, events.ResourceAcquired)]
            assert [event.waited_ms for event in told] == [0.0, pytest.approx(2000)]
            assert [event.at_sec for event in story] == sorted(event.at_sec for event in story)

    run_virtual(main())


def test_nothing_is_built_while_nobody_observes(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider) as pool:
            observed = [pool._state.emit is not None]
            first, second = pool.observe(), pool.observe()
            first.close()
            first.close()
            observed.append(pool._state.emit is not None)
            second.close()
            observed.append(pool._state.emit is not None)
            assert observed == [False, True, False]

    run_virtual(main())


def test_a_slow_or_failing_observer_touches_no_caller(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        seen: list[Any] = []

        async def slow(stream: Any) -> None:
            async for event in stream:
                await asyncio.sleep(50)
                seen.append(event)

        async def failing(stream: Any) -> None:
            async for _ in stream:
                raise ValueError

        async with open_pool(provider, warm_pool_size=1, recycle=True) as pool:
            streams = [pool.observe(limit=10), pool.observe(limit=10)]
            readers = [asyncio.create_task(slow(streams[0])), asyncio.create_task(failing(streams[1]))]
            began = asyncio.get_running_loop().time()
            for _ in range(100):
                async with pool.lease():
                    await asyncio.sleep(0)
            assert asyncio.get_running_loop().time() == began
            assert streams[0].dropped > 100
            await asyncio.sleep(0)
            assert isinstance(readers[1].exception(), ValueError)
        await readers[0]
        assert 1 <= len(seen) <= 12

    run_virtual(main())


def test_a_reader_waits_for_the_next_event_and_ends_with_the_pool(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        seen: list[str] = []

        async def read(stream: Any) -> None:
            async for event in stream:
                seen.extend([type(event).__name__])

        async with open_pool(provider, warm_pool_size=1) as pool:
            reader = asyncio.create_task(read(pool.observe()))
            await asyncio.sleep(1)
            assert seen == []
            async with pool.lease():
                await asyncio.sleep(1)
                assert seen == ["ResourceAcquired", "ResourceCreated"]
            assert not reader.done()
        await reader
        assert seen[-1] == "ResourceClosed"

    run_virtual(main())


def test_a_snapshot_can_be_copied_and_pickled(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider) as pool:
            snapshot = pool.snapshot()
            for other in (copy.copy(snapshot), copy.deepcopy(snapshot), pickle.loads(pickle.dumps(snapshot))):
                assert other == snapshot
                for part in (other, other["metrics"]):
                    with pytest.raises(TypeError):
                        part["name"] = "other"

    run_virtual(main())


def test_signs_of_life_that_nobody_hears_are_not_kept(open_pool: Any, provider: ScriptedProvider) -> None:
    async def main() -> None:
        async with open_pool(provider) as pool:
            pool.touch("heard")
            assert list(pool._touched) == ["heard"]
        for number in range(100):
            pool.touch(f"{number}")
        assert list(pool._touched) == ["heard"]

    run_virtual(main())


def test_a_warm_up_is_logged_and_a_failed_one_is_a_warning_until_the_breaker_is_open(
    open_pool: Any, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "warmline.pool")
    failures = [Outcome.FALSE, Outcome.ERROR, Outcome.NEVER, Outcome.ERROR]

    async def main() -> None:
        provider.script("warm", failures)
        async with open_pool(provider, "warm", name="tts_pool") as pool:
            assert await pool.wait_warm(timeout=60)

    run_virtual(main())
    lines = [(r.getMessage(), r.levelname) for r in caplog.records if r.getMessage().lower().startswith("warm")]
    assert lines == [
        ("Warmup failed for tts_pool: WarmUpFailed", "WARNING"),
        ("Warmup failed for tts_pool: HookFailed", "WARNING"),
        ("Warmup failed for tts_pool: TimeoutError", "WARNING"),
        ("Warmup failed for tts_pool: HookFailed", "DEBUG"),
        ("Warmed resource for pool: tts_pool", "DEBUG"),
    ]
