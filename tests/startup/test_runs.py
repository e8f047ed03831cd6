"""Running again: single-flight, the failed ones alone, without paid ones, for each session."""

from __future__ import annotations

import asyncio

import pytest

from tests.startup.steps import in_turn, plan, step, takes
from warmline.startup import Plan, Report, Scope, StepState
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


class Counted:
    """A plan, and how often each step ran: `good`, `bad` (fails once), `behind` it, and `paid` (fails once)."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.plan: Plan = plan(
            step("good", self._of("good")),
            step("bad", in_turn(self._of("bad", None), self._of("bad"))),
            step("behind", self._of("behind"), "bad"),
            step("paid", in_turn(self._of("paid", None), self._of("paid")), paid=True),
        )

    def _of(self, name: str, result: object = True):
        async def run() -> object:
            self.ran.append(name)
            return await takes(1, result)()

        return run


def test_callers_share_one_run_and_one_that_is_cancelled_stops_nothing() -> None:
    async def main() -> None:
        counted = Counted()
        async with counted.plan as warm_up:
            callers = [asyncio.create_task(warm_up.run()) for _ in range(5)]
            await asyncio.sleep(0.5)
            callers[0].cancel()
            reports = await asyncio.gather(*callers[1:])
            assert sorted(counted.ran) == ["bad", "good", "paid"]
            assert all(report == reports[0] for report in reports)
            assert not warm_up.report()["good"].error

    run_virtual(main())


def test_all_steps_or_the_failed_ones_with_what_they_blocked() -> None:
    async def main() -> None:
        counted = Counted()
        async with counted.plan as warm_up:
            assert (await warm_up.finished()).failed == ("bad", "paid", "behind")
            counted.ran.clear()
            report = await warm_up.run(failed_only=True)
            assert sorted(counted.ran) == ["bad", "behind", "paid"]
            assert report.failed == ()
            assert (report.wall_sec, report.serial_sec, report.critical_path) == (2, 3, ("bad", "behind"))
            assert report["good"].start_sec is None  # not in this run, and not hidden by it
            assert report["good"].stands
            counted.ran.clear()
            await warm_up.run()
            assert sorted(counted.ran) == ["bad", "behind", "good", "paid"]

    run_virtual(main())


def test_in_the_background_failed_steps_run_again_without_the_paid_ones_and_not_twice_at_once() -> None:
    async def main() -> None:
        counted = Counted()
        async with counted.plan as warm_up:
            assert not warm_up.run_soon()  # the first run is under way
            await warm_up.finished()
            counted.ran.clear()
            assert [warm_up.run_soon() for _ in range(3)] == [True, False, False]
            report = await warm_up.finished()
            assert counted.ran == ["bad", "behind"]
            assert report.failed == ("paid",)
            assert not warm_up.run_soon()  # nothing is left that costs nothing

    run_virtual(main())


def test_every_session_runs_its_own_steps_after_those_of_the_process() -> None:
    made: list[object] = []

    async def fresh() -> object:
        made.append(object())
        return made[-1]

    async def main() -> list[Report]:
        steps = [
            step("weights", 2),
            step("broken", takes(1, None)),
            step("analyzer", fresh, "weights", scope=Scope.SESSION),
            step("on broken", fresh, "broken", scope=Scope.SESSION),
            step("last", 1, "analyzer", scope=Scope.SESSION),
        ]
        async with plan(*steps) as warm_up:
            reports = await asyncio.gather(*(warm_up.run_session() for _ in range(3)))
            assert asyncio.get_running_loop().time() == 3
            assert [s.name for s in warm_up.report().steps] == ["weights", "broken"]
            assert warm_up.gating().over
        return reports

    for report in run_virtual(main()):
        assert {s.name: s.state for s in report.steps} == {
            "analyzer": StepState.VERIFIED,
            "last": StepState.VERIFIED,
            "on broken": StepState.BLOCKED,
        }
        assert report["on broken"].error == "needs broken, which did not succeed"
    assert len(set(map(id, made))) == len(made) == 3


def test_a_session_that_hangs_up_ends_its_own_run_alone() -> None:
    async def main() -> None:
        slow = step("slow", 5, scope=Scope.SESSION)
        async with plan(step("a"), slow) as warm_up:
            first, second = (asyncio.create_task(warm_up.run_session()) for _ in range(2))
            await asyncio.sleep(3)
            first.cancel()
            assert (await second)["slow"].state is StepState.VERIFIED
            assert first.cancelled()

    run_virtual(main())


def test_running_what_failed_where_nothing_has_keeps_the_report() -> None:
    async def main() -> None:
        async with plan(step("a", 1), step("b", 1, "a")) as warm_up:
            first = await warm_up.finished()
            await asyncio.sleep(10)
            assert await warm_up.run(failed_only=True) == first == warm_up.report()
            assert first.critical_path == ("a", "b")

    run_virtual(main())


def test_a_session_waits_for_what_its_steps_wait_for_and_for_nothing_else() -> None:
    async def main() -> list[float]:
        steps = [
            step("weights", 2),
            step("unrelated", 30),
            step("fails", takes(4, None)),
            step("analyzer", 1, "weights", scope=Scope.SESSION),
        ]
        ended = []
        async with plan(*steps) as warm_up:
            for _ in range(2):  # the first comes while the weights are loaded
                await warm_up.run_session()
                ended.append(asyncio.get_running_loop().time())
        async with plan(*steps, step("last", 1, "analyzer", after=("fails",), scope=Scope.SESSION)) as warm_up:
            began = asyncio.get_running_loop().time()
            await warm_up.run_session()
            ended.append(asyncio.get_running_loop().time() - began)
        return ended

    assert run_virtual(main()) == [3, 4, 6]


def test_sessions_and_the_process_share_the_cores() -> None:
    busy: list[int] = [0]

    async def infer() -> bool:
        busy.append(busy[-1] + 1)
        try:
            await asyncio.sleep(1)
        finally:
            busy.append(busy[-1] - 1)
        return True

    async def main() -> None:
        steps = [step("own", infer, cpu=True), step("theirs", infer, cpu=True, scope=Scope.SESSION)]
        async with plan(*steps, cores=2) as warm_up:
            gone = asyncio.create_task(warm_up.run_session())
            reports = [asyncio.create_task(warm_up.run_session()) for _ in range(5)]
            await asyncio.sleep(0.5)
            gone.cancel()  # its core is the next session's at once
            assert {(await report)["theirs"].state for report in reports} == {StepState.VERIFIED}
            assert asyncio.get_running_loop().time() == 3.5
            assert (await reports[-1])["theirs"].waited_sec > 0

    run_virtual(main())
    assert max(busy) == 2


def test_what_runs_on_the_loop_begins_before_threads_take_the_gil_from_it() -> None:
    began: list[str] = []

    def in_a_thread() -> bool:
        began.append("thread")
        return True

    async def on_the_loop() -> bool:
        began.append("loop")
        return True

    async def main() -> Report:
        steps = [step("thread", in_a_thread, expected_sec=9.0), step("loop", on_the_loop, expected_sec=1.0)]
        async with plan(*steps) as warm_up:
            return await warm_up.finished()

    assert run_virtual(main()).failed == ()
    assert began == ["loop", "thread"]
