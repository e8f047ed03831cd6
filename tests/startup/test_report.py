"""What people and machines are told: events, lines, table, JSON."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from tests.startup.steps import hangs, in_turn, plan, step, takes
from warmline.events import Event, WarmUpFinished, WarmUpStepFinished, WarmUpStepRetrying, WarmUpStepStarted
from warmline.startup import Criticality, Report, Verified, progress_line
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


def run_it(observed: list[Event]) -> Report:
    async def main() -> Report:
        steps = [
            step("voice", takes(2, Verified("1.0 s of audio"))),
            step("model", in_turn(takes(1, OSError(111, "refused")), takes(1, b"x")), "voice", retries=1),
            step("hang", hangs, timeout_sec=1),
            step("cache", takes(1.5, None), verified=False),
        ]
        async with plan(*steps, emit=observed.append) as warm_up:
            return await warm_up.finished()

    return run_virtual(main())


def test_events_count_what_the_plan_holds() -> None:
    observed: list[Event] = []
    run_it(observed)
    assert [e.name for e in observed if isinstance(e, WarmUpStepStarted)].count("model") == 2
    assert [e.delay_sec for e in observed if isinstance(e, WarmUpStepRetrying)] == [0.5]
    ends = [e for e in observed if isinstance(e, WarmUpStepFinished)]
    assert [(e.name, e.ended, e.total, e.verified) for e in ends] == [
        ("hang", 1, 4, False),
        ("cache", 2, 4, False),
        ("voice", 3, 4, True),
        ("model", 4, 4, True),
    ]
    assert observed[-1] == WarmUpFinished(at_sec=4.5, took_ms=4500, verified=2, total=4, failed=("hang",))


def test_lines_are_made_from_the_events_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    observed: list[Event] = []
    with caplog.at_level(logging.INFO, logger="warmline.startup"):
        run_it(observed)
    lines = [line for event in observed if (line := progress_line(event))]
    assert [" ".join(line.split()) for line in lines] == [
        "[1/4] hang 1.00 s timed out (no end within 1 s)",
        "[2/4] cache 1.50 s done, not verified",
        "[3/4] voice 2.00 s verified (1.0 s of audio)",
        "model: attempt 1 failed (ConnectionRefusedError: refused), next in 0.5 s",
        "[4/4] model 2.50 s verified (bytes of 1)",
        "2 of 4 steps verified in 4.50 s; without hang",
    ]
    assert caplog.messages == lines


def test_an_observer_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("no")

    async def main() -> Report:
        async with plan(step("a"), emit=fail) as warm_up:
            return await warm_up.finished()

    assert run_virtual(main()).failed == ()
    assert "whoever observes the warm-up failed" in caplog.messages


def test_the_table_shows_every_step_and_marks_the_critical_path() -> None:
    rows = [" ".join(line.split()) for line in run_it([]).to_table().splitlines()]
    assert rows == [
        "step state start s took s waited s tries proof, or why not",
        "voice * verified 0.00 2.00 0.00 1 1.0 s of audio",
        "hang timed out 0.00 1.00 0.00 1 no end within 1 s",
        "cache done, not verified 0.00 1.50 0.00 1",
        "model * verified 2.00 2.50 0.00 2 bytes of 1",
        "4.50 s, one after the other 7.00 s: 2.50 s saved. Critical path: voice -> model (4.50 s).",
        "Not verified: hang, cache.",
    ]


def test_json_holds_the_same() -> None:
    report = run_it([])
    document = json.loads(report.to_json())
    assert document["critical_path"] == ["voice", "model"]
    assert document["not_verified"] == ["hang", "cache"]
    assert document["saved_sec"] == 2.5
    assert [s["state"] for s in document["steps"]] == [s.state.value for s in report.steps]


def test_a_report_in_the_middle_of_a_run_counts_until_now() -> None:
    async def main() -> Report:
        async with plan(step("a", 10), step("b", 1, "a")) as warm_up:
            await asyncio.sleep(4)
            return warm_up.report()

    report = run_virtual(main())
    assert (report["a"].state.value, report["a"].took_sec, report.wall_sec) == ("running", 4, 4)
    assert report["b"].start_sec is None
    assert report.failed == ()


def test_failures_are_as_loud_in_the_log_as_the_step_matters(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        steps = [step(each.value, takes(1, OSError(111, "refused")), criticality=each) for each in Criticality]
        async with plan(*steps, step("good"), recover_sec=None) as warm_up:
            await warm_up.finished()

    with caplog.at_level(logging.INFO, logger="warmline.startup"):
        run_virtual(main())
    levels = {record.levelname for record in caplog.records if "optional" in record.message.split()}
    assert levels == {"INFO"}
    loud = [(record.levelname, record.message.split()[1]) for record in caplog.records if record.levelno > logging.INFO]
    assert sorted(loud) == [("ERROR", "critical"), ("WARNING", "wanted")]
