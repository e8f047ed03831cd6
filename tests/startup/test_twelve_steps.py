"""Every kind of end and of dependency in one plan, on virtual time, against figures worked out by hand."""

from __future__ import annotations

import asyncio

import pytest

from tests.startup.steps import hangs, in_turn, plan, step, takes
from warmline.startup import Criticality, Plan, Report, StepState
from warmline.testing import HookEscaped, run_virtual

pytestmark = pytest.mark.core

closed: list[str] = []


async def deaf() -> bytes:
    """Takes 20 s, whoever cancels it."""
    until = asyncio.get_running_loop().time() + 20
    while (left := until - asyncio.get_running_loop().time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            continue
    return b"too late"


def twelve() -> Plan:
    """One core. By hand, in seconds: who runs from when to when.

    config 0-1, token 0-1 fails, 2-3 fails, 5-6, hang 0-5, deaf 0-3 (2 and the grace of 1), silent 0-1, escape 0-0.5,
    redis 1-3, weights 1-8 on the core, ear 8-10 after 7 of waiting for it, connection 6-9, blocked never,
    rehearsal 10-12.
    """
    failing = takes(1, OSError(111, "refused"))
    return plan(
        step("config", 1),
        step("redis", 2, "config", criticality=Criticality.CRITICAL, close=lambda: closed.append("redis")),
        step("token", in_turn(failing, failing, takes(1, "a token")), retries=2, retry_delay_sec=1.0),
        step("ear", 2, "config", cpu=True),
        step("weights", 7, "config", cpu=True, expected_sec=7.0, close=lambda: closed.append("weights")),
        step("connection", 3, "token", "redis"),
        step("hang", hangs, timeout_sec=5),
        step("deaf", deaf, timeout_sec=2, close=lambda: closed.append("deaf")),
        step("silent", takes(1, None)),
        step("blocked", 1, "silent"),
        step("escape", takes(0.5, HookEscaped("out"))),
        step("rehearsal", 2, "connection", "weights", "ear", after=("hang", "deaf", "escape")),
        cores=1,
    )


async def run_it() -> tuple[Report, Report]:
    closed.clear()
    async with twelve() as warm_up:
        report = await warm_up.finished()
        await asyncio.sleep(30)  # the deaf one ends at last
        return report, warm_up.report()


def test_states_times_and_critical_path_are_those_worked_out_by_hand() -> None:
    report, _ = run_virtual(run_it())
    assert {s.name: (s.state.name, s.start_sec, s.took_sec) for s in report.steps} == {
        "config": ("VERIFIED", 0, 1),
        "redis": ("VERIFIED", 1, 2),
        "token": ("VERIFIED", 0, 6),
        "ear": ("VERIFIED", 8, 2),
        "weights": ("VERIFIED", 1, 7),
        "connection": ("VERIFIED", 6, 3),
        "hang": ("TIMED_OUT", 0, 5),
        "deaf": ("TIMED_OUT", 0, 3),
        "silent": ("FAILED", 0, 1),
        "blocked": ("BLOCKED", None, 0),
        "escape": ("FAILED", 0, 0.5),
        "rehearsal": ("VERIFIED", 10, 2),
    }
    assert {s.name: s.waited_sec for s in report.steps if s.waited_sec} == {"ear": 7}
    assert {s.name: s.attempts for s in report.steps if s.attempts != 1} == {"token": 3, "blocked": 0}
    # Chains: token 6 + connection 3 + rehearsal 2 = 11, config 1 + weights 7 + rehearsal 2 = 10, hang 5 + rehearsal 2.
    assert (report.critical_path, report.critical_path_sec) == (("token", "connection", "rehearsal"), 11)
    assert (report.wall_sec, report.serial_sec, report.saved_sec) == (12, 32.5, 20.5)
    assert report.failed == report.not_verified
    assert set(report.failed) == {"hang", "deaf", "silent", "blocked", "escape"}
    assert report.abandoned == 1


def test_each_failure_says_why_and_shows_nothing_of_what_was_returned() -> None:
    report, _ = run_virtual(run_it())
    assert {s.name: s.error for s in report.steps if s.error} == {
        "hang": "no end within 5 s",
        "deaf": "no end within 2 s",
        "silent": "WarmUpFailed: it ended without proof (returned None)",
        "blocked": "needs silent, which did not succeed",
        "escape": "HookEscaped",
    }
    assert report["token"].evidence == "str of 7"


def test_what_was_made_is_given_back_latest_first_even_what_came_too_late() -> None:
    _, later = run_virtual(run_it())
    assert closed == ["deaf", "weights", "redis"]
    assert later["deaf"].state is StepState.TIMED_OUT  # late is late
