"""What a plan refuses before it runs, and in which order it starts what it accepts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.startup.steps import EvenClock, hangs, plan, step, takes
from warmline.errors import PlanError
from warmline.startup import Criticality, Plan, Report, Scope, Step
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([step("a"), step("a")], "two steps are called 'a'"),
        ([step("a", 1, "b")], "step 'a' waits for 'b', which is not in the plan"),
        ([step("a", 1, "b"), step("b", 1, after=("c",)), step("c", 1, "a")], "a -> b -> c -> a"),
        ([step("a", 1, "a")], "a -> a"),
        ([step("a", 1, "s"), step("s", scope=Scope.SESSION)], "step 'a' of the process waits for 's'"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused_by_explain_and_by_opening(steps: list[Step], complaint: str) -> None:
    async def main() -> None:
        async with plan(*steps):
            pass

    with pytest.raises(PlanError) as explained:
        plan(*steps).explain()
    with pytest.raises(PlanError) as opened:
        run_virtual(main())
    if "->" in complaint:  # a circle may be told from any of its steps
        told = str(explained.value).rpartition(": ")[2].split(" -> ")
        assert told[0] == told[-1]
        assert set(pairwise(told)) == set(pairwise(complaint.split(" -> ")))
    else:
        assert complaint in str(explained.value)
        assert complaint in str(opened.value)


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"name": ""}, "name"),
        ({"run": 3}, "run must be callable"),
        ({"needs": "redis"}, "needs must be a tuple"),
        ({"after": ["redis"]}, "after must be a tuple"),
        ({"timeout_sec": 0}, "timeout_sec"),
        ({"timeout_sec": float("inf")}, "timeout_sec"),
        ({"timeout_sec": float("nan")}, "timeout_sec"),
        ({"retries": -1}, "retries"),
        ({"retry_delay_sec": -1.0}, "retry_delay_sec"),
        ({"expected_sec": -1.0}, "expected_sec"),
        ({"scope": Scope.SESSION, "close": print}, "close"),
        ({"scope": "session", "close": print}, "close"),
        ({"scope": "everybody"}, "scope must be one of process, session, not 'everybody'"),
        ({"criticality": "very"}, "criticality must be one of critical, wanted, optional, not 'very'"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(attributes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        Step(**{"name": "a", "run": takes(1), **attributes})


def test_decorated_functions_are_steps() -> None:
    warm_up = Plan(clock=EvenClock())
    ran: list[str] = []

    @warm_up.step(criticality="critical")
    async def redis() -> bool:
        ran.append("redis")
        return True

    @warm_up.step("speech models", needs=["redis"], after=[], retries=1)
    def models() -> bool:
        ran.append("models")
        return True

    async def main() -> Report:
        async with warm_up:
            with pytest.raises(PlanError, match="too late"):
                warm_up.add(step("late"))
            return await warm_up.finished()

    report = run_virtual(main())
    assert (ran, report.failed) == (["redis", "models"], ())
    assert [(s.name, s.criticality) for s in report.steps] == [("redis", "critical"), ("speech models", "wanted")]


def test_with_one_core_what_critical_steps_wait_for_goes_first_then_the_longest_chain() -> None:
    steps = [
        step("short", cpu=True),
        step("long", cpu=True, expected_sec=5.0),
        step("for the chain", cpu=True, expected_sec=2.0),
        step("end of the chain", 1, "for the chain", expected_sec=9.0),
        step("optional", cpu=True, expected_sec=100.0, criticality=Criticality.OPTIONAL),
        step("for the critical", cpu=True),
        step("critical", 1, "for the critical", criticality=Criticality.CRITICAL),
    ]

    async def main() -> Report:
        async with plan(*steps, cores=1) as warm_up:
            return await warm_up.finished()

    report = run_virtual(main())
    cpu = sorted((s for s in report.steps if not s.name.endswith(("chain", "critical")) or "for" in s.name), key=start)
    assert [s.name for s in cpu] == ["for the critical", "for the chain", "long", "short", "optional"]


def start(step_report: Any) -> float:
    return float(step_report.start_sec)


def test_a_step_that_waits_for_its_next_attempt_gives_its_core_to_others() -> None:
    steps = [
        step("flaky", takes(1, OSError()), cpu=True, retries=1, retry_delay_sec=10.0, expected_sec=9.0),
        step("other", 1, cpu=True),
    ]

    async def main() -> Report:
        async with plan(*steps, cores=1) as warm_up:
            return await warm_up.finished()

    report = run_virtual(main())
    assert (report["other"].start_sec, report["flaky"].took_sec) == (1, 12)


def test_explaining_runs_nothing_and_shows_every_step() -> None:
    ran: list[int] = []
    steps = [
        step("b", lambda: ran.append(1), "a", after=("c",), cpu=True, retries=2),
        step("a", paid=True, verified=False),
        step("c"),
    ]
    text = plan(*steps, policy="block", deadline_sec=7, cores=3).explain()
    assert not ran
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines == [
        "policy block, deadline 7 s, 3 cores",
        "step criticality scope runs bound s retries counts when waits for",
        "a wanted process beside others 30 0 it ends, costs money",
        "c wanted process beside others 30 0 it proves it",
        "b wanted process on a core 30 2 it proves it a; end of c",
    ]


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Step], int]:
    """Random steps, each waiting for some of those before it, in random order; and a number of cores."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 9))):
        before = [each.name for each in steps]
        needs = draw(st.lists(st.sampled_from(before), unique=True, max_size=3)) if before else []
        after = draw(st.lists(st.sampled_from(before), unique=True, max_size=2)) if before else []
        result = draw(st.sampled_from([True, True, True, None]))
        run = takes(draw(st.integers(0, 8)), result)
        steps.append(step(f"s{number}", run, *needs, after=tuple(after), cpu=draw(st.booleans())))
    return draw(st.permutations(steps)), draw(st.integers(1, 3))


@given(plans())
def test_any_plan_keeps_its_order_and_its_cores_and_knows_its_longest_chain(drawn: tuple[list[Step], int]) -> None:
    steps, cores = drawn

    async def main() -> Report:
        async with plan(*steps, cores=cores) as warm_up:
            return await warm_up.finished()

    report = run_virtual(main())
    end = {s.name: (s.start_sec or 0) + s.took_sec for s in report.steps if s.start_sec is not None}
    for each in steps:
        if each.name in end:
            began = report[each.name].start_sec or 0
            assert all(report[name].stands for name in each.needs)
            assert all(end.get(name, 0) <= began for name in each.waits_for)
        else:
            assert any(not report[name].stands for name in each.needs)
    spans = [(s.start_sec, end[s.name]) for s in report.steps if s.name in end and by_name(steps, s.name).cpu]
    for moment, _ in spans:
        assert sum(a <= moment < b for a, b in spans if a is not None and moment is not None) <= cores
    assert report.critical_path_sec == max((chain_sec(steps, report, name, end) for name in end), default=0)
    assert report.critical_path_sec <= report.wall_sec <= report.serial_sec


def by_name(steps: list[Step], name: str) -> Step:
    return next(each for each in steps if each.name == name)


def chain_sec(steps: list[Step], report: Report, name: str, ran: dict[str, float]) -> float:
    """The longest chain that ends here, by trying all."""
    before = [each for each in by_name(steps, name).waits_for if each in ran]
    return report[name].took_sec + max((chain_sec(steps, report, each, ran) for each in before), default=0)


def test_opening_twice_is_refused_opening_again_is_not() -> None:
    async def main() -> None:
        warm_up = plan(step("a"))
        for _ in range(2):
            async with warm_up:
                with pytest.raises(PlanError, match="open already"):
                    async with warm_up:
                        pass
                assert not (await warm_up.finished()).failed
        with pytest.raises(PlanError, match="not open"):
            warm_up.gating()

    run_virtual(main())


def test_names_of_criticality_scope_and_policy_are_as_good_as_the_members() -> None:
    one = Step(name="a", run=takes(1), criticality="critical", scope="process")  # type: ignore[arg-type] # as read
    assert (one.criticality, one.scope) == (Criticality.CRITICAL, Scope.PROCESS)
    with pytest.raises(PlanError, match="policy must be one of background, gate, block, not 'wait'"):
        Plan(policy="wait")


def test_one_decorator_makes_any_number_of_equal_steps() -> None:
    warm_up = Plan(clock=EvenClock())
    critical = warm_up.step(criticality="critical", scope="session", after=[], timeout_sec=5)
    critical(takes(1))
    critical(hangs)
    assert [(s.name, s.criticality, s.scope, s.after, s.timeout_sec) for s in warm_up._steps] == [
        (name, Criticality.CRITICAL, Scope.SESSION, (), 5) for name in ("run", "hangs")
    ]
