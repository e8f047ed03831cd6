"""Facts are gathered from a real plan, floors and gates, on virtual time."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.startup.steps import EvenClock, hangs, in_turn, plan, step, takes
from warmline.health import Drain, Health, Phase, Verdict
from warmline.startup import Criticality, Plan
from warmline.testing import run_virtual

pytestmark = pytest.mark.core

CRITICAL = Criticality.CRITICAL


async def at(second: float) -> None:
    await asyncio.sleep(second - asyncio.get_running_loop().time())


def health_of(warm_up: Plan, **plugged_in: object) -> Health:
    return Health(warm_up, clock=EvenClock(), **plugged_in)  # type: ignore[arg-type]


def missing(health: Health) -> list[str]:
    return sorted(health.probe().missing)


def test_a_slow_start() -> None:
    async def main() -> None:
        spares = 0
        warm_up = plan(step("core", 2, criticality=CRITICAL), step("voice", 4))
        health = health_of(warm_up, floors={"tts": lambda: (spares, 2)})
        assert missing(health) == ["floor tts", "step warm-up"]  # not open yet
        async with warm_up:
            assert missing(health) == ["floor tts", "step core", "step voice"]
            await at(3)
            assert missing(health) == ["floor tts", "step voice"]
            await at(5)
            assert (missing(health), health.probe().started) == (["floor tts"], True)
            spares = 2
            assert health.probe().phase.value == "ready"
            spares = 0
            assert (health.probe().ready, health.probe().degraded) == (True, ("floor tts",))

    run_virtual(main())


def test_a_degraded_start() -> None:
    async def main() -> None:
        warm_up = plan(step("core", 2, criticality=CRITICAL), step("hang", hangs, timeout_sec=99), deadline_sec=10)
        async with warm_up:
            health = health_of(warm_up, floors={"tts": lambda: (0, 1)})
            await at(9)
            assert not health.probe().ready
            await at(11)
            assert (health.probe().ready, health.probe().degraded) == (True, ("step hang", "floor tts"))

    run_virtual(main())


def test_a_gate_counts_from_the_beginning_to_the_end_and_one_that_raises_is_closed() -> None:
    async def main() -> None:
        is_open = False

        def credentials() -> bool:
            if is_open is None:
                raise RuntimeError("no answer")
            return is_open

        async with plan(step("core"), deadline_sec=2) as warm_up:
            health = health_of(warm_up, gates={"credentials": credentials})
            await at(5)
            assert missing(health) == ["gate credentials"]  # beyond the deadline too
            is_open = True
            assert health.probe().ready
            is_open = None  # type: ignore[assignment]
            assert missing(health) == ["gate credentials"]

    run_virtual(main())


def test_draining_is_not_ready_at_once_and_for_good() -> None:
    async def main() -> None:
        drain = Drain(clock=EvenClock())
        async with plan(step("core")) as warm_up:
            health = health_of(warm_up, drain=drain)
            await at(2)
            assert health.probe().ready
            drain.begin()
            assert missing(health) == ["draining"]
            assert health.probe().started

    run_virtual(main())


def test_a_probe_warms_what_failed_once_at_a_time_and_nothing_that_costs_money() -> None:
    async def main() -> None:
        ran: list[str] = []

        def of(name: str, then: object):
            async def run() -> object:
                ran.append(name)
                await asyncio.sleep(3)
                return None if ran.count(name) == 1 else then

            return run

        warm_up = plan(step("free", of("free", True)), step("paid", of("paid", True), paid=True))
        async with warm_up:
            health = health_of(warm_up, warm_on_probe=True)
            quiet = health_of(warm_up)
            await at(4)
            assert ran == ["free", "paid"]
            assert quiet.probe().degraded == ("step free", "step paid")
            await at(8)
            assert ran == ["free", "paid"]  # that one only looks
            verdicts = [health.probe() for _ in range(5)]
            assert asyncio.get_running_loop().time() == 8  # answered without waiting
            assert verdicts == [verdicts[0]] * 5
            await at(12)
            assert ran == ["free", "paid", "free"]
            assert health.probe().degraded == ("step paid",)
            await at(60)
            health.probe()
            await at(70)
            assert ran == ["free", "paid", "free"]

    run_virtual(main())


def test_probes_that_keep_finding_a_failure_keep_their_pause() -> None:
    async def main() -> None:
        ran: list[float] = []

        async def fails() -> None:
            ran.append(asyncio.get_running_loop().time())

        async with plan(step("a", fails)) as warm_up:
            health = health_of(warm_up, warm_on_probe=True, warm_pause_sec=10)
            for second in range(1, 26):
                await at(second)
                health.probe()
        assert ran == [0, 1, 11, 21]

    run_virtual(main())


def test_the_detail_says_everything() -> None:
    async def main() -> None:
        async with plan(step("core", in_turn(takes(1, None))), policy="background") as warm_up:
            drain = Drain(clock=EvenClock(), grace_sec=5)
            health = health_of(warm_up, drain=drain, floors={"tts": lambda: (1, 2)}, gates={"open": lambda: True})
            await at(2)
            with drain.call():
                detail = health.detail()
        assert detail["phase"] == "degraded"
        assert detail["warm_up"]["failed"] == ["core"]
        assert detail["floors"] == {"tts": [1, 2]}
        assert detail["gates"] == {"open": True}
        assert detail["calls"] == {"live": 1, "draining": False, "left_sec": 5}
        assert health.detail()["warm_up"] is None  # closed by now

    run_virtual(main())


def test_without_a_warm_up_floors_and_gates_are_enough() -> None:
    spares = 0
    health = Health(floors={"tts": lambda: (spares, 1)})
    assert health.probe() == Verdict(phase=Phase.STARTING, missing=("floor tts",), started=True)
    spares = 1
    assert health.probe().ready


class Because:
    why_not = "model: the key was refused"

    def __bool__(self) -> bool:
        return False


def test_a_closed_gate_may_say_why() -> None:
    health = Health(gates={"model": Because, "credentials": Because})
    assert missing(health) == ["gate credentials: model: the key was refused", "gate model: the key was refused"]
    assert health.detail()["gates"] == {"model": False, "credentials": False}


class Indecisive:
    def __bool__(self) -> bool:
        raise RuntimeError("neither")


async def never_awaited() -> bool:
    return False


@pytest.mark.parametrize("gate", [never_awaited, Indecisive, lambda: 1 / 0])
def test_a_gate_that_gives_no_answer_is_closed(gate: object) -> None:
    health = Health(gates={"credentials": gate})  # type: ignore[dict-item] # as read from who knows where
    assert health.probe().missing == ("gate credentials",)
    assert health.detail()["gates"] == {"credentials": False}


@pytest.mark.parametrize("answer", [None, (1,), ("many", 1), 3])
def test_a_floor_that_answers_nonsense_is_not_full(answer: object) -> None:
    health = Health(floors={"tts": lambda: answer})  # type: ignore[dict-item,return-value] # the same
    assert health.probe().missing == ("floor tts",)


def test_a_drain_that_began_before_anybody_asked_counts() -> None:
    drain = Drain()
    drain.begin()
    assert Health(drain=drain).probe().phase is Phase.DRAINING
    health = Health()
    health.drain = drain
    assert not health.probe().ready


def test_the_detail_is_json_however_long_the_grace() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    document = json.dumps(Health(drain=Drain(grace_sec=float("inf"))).detail())
    assert json.loads(document, parse_constant=refuse)["calls"]["left_sec"] is None
