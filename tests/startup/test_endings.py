"""How one step can end: on the loop and in a thread, with proof and without."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from tests.startup.steps import hangs, plan, step, takes
from warmline.errors import WarmUpFailed
from warmline.startup import Plan, Report, Step, StepState, Verified
from warmline.testing import HookEscaped, run_virtual

pytestmark = pytest.mark.core


async def report_of(warm_up: Plan) -> Report:
    async with warm_up:
        return await warm_up.finished()


def raises(error: BaseException) -> Any:
    def run() -> None:
        raise error

    return run


class Ambiguous:
    """Like an array of several numbers."""

    def __repr__(self) -> str:
        return "ambiguous"

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


async def cancels_itself() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("in_thread", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize(
    ("value", "evidence"),
    [
        (Verified("24 000 bytes at 16 kHz"), "24 000 bytes at 16 kHz"),
        (b"12345", "bytes of 5"),
        (0.97, "0.97"),
        (True, "yes"),
        (object(), "object"),
    ],
)
def test_proof_is_kept_as_words(value: Any, evidence: str, in_thread: bool) -> None:
    report = run_virtual(report_of(plan(step("a", (lambda: value) if in_thread else takes(0, value)))))
    assert (report["a"].state, report["a"].evidence) == (StepState.VERIFIED, evidence)


@pytest.mark.parametrize("in_thread", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize("value", [None, False, b"", 0, [], float("nan"), Ambiguous()], ids=repr)
def test_without_proof_a_step_has_failed(value: Any, in_thread: bool) -> None:
    report = run_virtual(report_of(plan(step("a", (lambda: value) if in_thread else takes(0, value)))))
    assert report["a"].state is StepState.FAILED
    assert report.failed == ("a",)


@pytest.mark.parametrize(("value", "state"), [(None, StepState.DONE), (b"", StepState.DONE), (False, StepState.FAILED)])
def test_a_step_that_owes_no_proof_fails_by_false_alone_and_is_never_verified(value: Any, state: StepState) -> None:
    report = run_virtual(report_of(plan(step("a", takes(0, value), verified=False))))
    assert report["a"].state is state
    assert report.not_verified == ("a",)


def generator() -> Any:
    yield 1


async def async_generator() -> Any:
    yield 1


async def errors_gathered() -> Any:
    return await asyncio.gather(takes(1)(), takes(1, OSError(111, "refused"))(), return_exceptions=True)


@pytest.mark.parametrize("must_prove", [True, False])
@pytest.mark.parametrize(
    ("run", "why"),
    [
        (generator, "nothing of it has run"),
        (async_generator, "nothing of it has run"),
        (lambda: ValueError("sk-123"), "it returned a failure: ValueError"),
        (errors_gathered, "it returned a failure: ConnectionRefusedError: refused"),
    ],
)
def test_what_has_not_run_and_what_failed_is_no_success(run: Any, why: str, must_prove: bool) -> None:
    report = run_virtual(report_of(plan(step("a", run, verified=must_prove))))
    assert report["a"].state is StepState.FAILED
    assert report["a"].error is not None
    assert report["a"].error.endswith(why)


@pytest.mark.parametrize("error", [RuntimeError("x"), HookEscaped("x"), SystemExit(3), StopIteration()], ids=repr)
def test_whatever_a_sync_step_raises_is_its_failure_alone(error: BaseException) -> None:
    report = run_virtual(report_of(plan(step("a", raises(error)), step("b"))))
    assert (report["a"].state, report["b"].state) == (StepState.FAILED, StepState.VERIFIED)


@pytest.mark.parametrize("run", [takes(0, HookEscaped("x")), takes(0, SystemExit(3)), cancels_itself])
def test_whatever_an_async_step_raises_is_its_failure_alone(run: Any) -> None:
    report = run_virtual(report_of(plan(step("a", run), step("b"))))
    assert (report["a"].state, report["b"].state) == (StepState.FAILED, StepState.VERIFIED)


def test_a_strangers_message_is_not_quoted_ours_is() -> None:
    steps = [
        step("theirs", takes(0, ValueError("key=sk-123"))),
        step("system's", takes(0, ConnectionRefusedError(111, "Connection refused"))),
        step("ours", takes(0, WarmUpFailed("no sound came"))),
        step("grouped", takes(0, ExceptionGroup("several", [WarmUpFailed("no label")]))),
    ]
    report = run_virtual(report_of(plan(*steps)))
    assert [s.error for s in report.steps] == [
        "ValueError",
        "ConnectionRefusedError: Connection refused",
        "WarmUpFailed: no sound came",
        "WarmUpFailed: no label",
    ]
    assert "sk-123" not in report.to_json() + report.to_table()


def test_sync_steps_run_in_threads_of_their_own_with_the_context_of_the_plan() -> None:
    tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant")
    seen: list[tuple[str, bool]] = []
    together = threading.Barrier(3, timeout=20)

    def run() -> bool:
        together.wait()  # passes only if all three run at once
        seen.append((tenant.get(), threading.current_thread() is threading.main_thread()))
        return True

    async def main() -> Report:
        tenant.set("blue")
        return await report_of(plan(step("a", run), step("b", run), step("c", run)))

    assert not run_virtual(main()).failed
    assert seen == [("blue", False)] * 3


def test_a_sync_function_that_returns_an_awaitable_is_awaited() -> None:
    report = run_virtual(report_of(plan(step("a", lambda: takes(2, b"ok")()))))
    assert (report["a"].state, report["a"].took_sec) == (StepState.VERIFIED, 2)


def test_a_sync_step_that_hangs_is_abandoned_and_counted_and_closed_when_it_ends_after_all() -> None:
    """In real time: a thread cannot be cancelled."""
    let_go, closed = threading.Event(), threading.Event()

    async def main() -> None:
        hung = Step(name="a", run=lambda: let_go.wait(60), timeout_sec=0.05, cpu=True, close=closed.set)
        async with Plan([hung, Step(name="b", run=lambda: True, cpu=True)], cores=1) as warm_up:
            report = await warm_up.finished()
            assert (report["a"].state, report["b"].state) == (StepState.TIMED_OUT, StepState.VERIFIED)
            assert report.abandoned == 1
            let_go.set()
            opened = warm_up._opened
            assert opened is not None
            while opened._attempts.hanging:
                await asyncio.sleep(0.005)
        assert closed.is_set()

    asyncio.run(main())


def test_when_too_many_threads_hang_no_further_one_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warmline.startup.attempt.MAX_HANGING", 2)
    let_go, started = threading.Event(), []

    def run() -> bool:
        started.append(1)
        return let_go.wait(60)

    async def main() -> Report:
        hung = Step(name="a", run=run, timeout_sec=0.02, retries=4, retry_delay_sec=0.0)
        return await report_of(Plan([hung], recover_sec=None))

    report = asyncio.run(main())
    let_go.set()
    assert len(started) == 2
    assert report["a"].attempts == 5
    assert report["a"].error == "WarmUpFailed: 2 earlier calls hang"


def test_leaving_ends_what_runs_and_marks_it_cancelled() -> None:
    async def main() -> None:
        warm_up = plan(step("a", hangs), step("b", 1), step("c", 1, "a"))
        async with warm_up:
            await asyncio.sleep(5)
            opened = warm_up._opened
            assert opened is not None
        states = {s.name: s.state for s in opened.report().steps}
        assert states == {"a": StepState.CANCELLED, "b": StepState.VERIFIED, "c": StepState.CANCELLED}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())


def test_leaving_is_bounded_by_a_step_that_cannot_be_cancelled_and_a_close_that_hangs() -> None:
    async def deaf() -> None:
        for _ in range(100):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                continue

    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with plan(step("deaf", deaf), step("b", 1, close=hangs)):
            await asyncio.sleep(2)
            began = loop.time()
        return loop.time() - began

    assert run_virtual(main()) <= 8  # 1 to cancel, 5 to close, 1 more to cancel


@pytest.mark.parametrize("run", [takes(1, None), takes(1, OSError()), hangs], ids=["no proof", "raises", "hangs"])
def test_what_a_step_made_before_it_failed_is_given_back(run: Any) -> None:
    closed: list[str] = []
    steps = [
        step("a", run, timeout_sec=5, close=lambda: closed.append("a")),
        step("never begun", 1, "a", close=lambda: closed.append("never begun")),
    ]
    run_virtual(report_of(plan(*steps)))
    assert closed == ["a"]


def test_a_close_that_raises_whatever_it_may_keeps_no_other_from_being_called() -> None:
    closed: list[str] = []
    steps = [
        step("first", 1, close=lambda: closed.append("first")),
        step("second", 2, close=raises(HookEscaped("x"))),
        step("third", 3, close=cancels_itself),
    ]
    run_virtual(report_of(plan(*steps)))
    assert closed == ["first"]


def test_what_hangs_keeps_nothing_from_being_closed_and_is_closed_itself_when_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In real time: a thread cannot be cancelled."""
    monkeypatch.setattr("warmline.startup.attempt.MAX_HANGING", 1)
    let_go, closed = threading.Event(), []

    async def main() -> None:
        hung = Step(name="hung", run=lambda: let_go.wait(60), timeout_sec=0.05, close=lambda: closed.append("hung"))
        good = Step(name="good", run=lambda: True, close=lambda: closed.append("good"))
        async with Plan([hung, good], recover_sec=None) as warm_up:
            await warm_up.finished()
        assert sorted(closed) == ["good", "hung"]
        let_go.set()
        while len(closed) < 3:
            await asyncio.sleep(0.005)
        assert closed[2] == "hung"

    asyncio.run(main())
