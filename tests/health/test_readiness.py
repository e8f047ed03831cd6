"""Probe sequences against the state machine alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmline.health import Facts, Phase, Readiness, Verdict

pytestmark = pytest.mark.core

CLEAR = Facts()


def told(readiness: Readiness, **facts: object) -> tuple[str, bool, bool, tuple[str, ...], tuple[str, ...]]:
    verdict = readiness.judge(Facts(**facts))  # type: ignore[arg-type]
    return verdict.phase.value, verdict.ready, verdict.started, verdict.missing, verdict.degraded


def test_a_start_then_a_burst_then_a_lost_gate_then_the_end() -> None:
    r = Readiness()
    both = {"critical": ("core",), "waiting": ("voice",), "short": ("tts",), "lost": ("voice",), "start_over": False}
    assert told(r, **both) == ("starting", False, False, ("step core", "step voice", "floor tts"), ())
    voice = {**both, "critical": ()}
    assert told(r, **voice) == ("starting", False, False, ("step voice", "floor tts"), ())
    assert told(r, short=("tts",)) == ("starting", False, True, ("floor tts",), ())
    assert told(r) == ("ready", True, True, (), ())
    assert told(r, short=("tts",)) == ("degraded", True, True, (), ("floor tts",))  # a burst: more capacity is no cure
    assert told(r) == ("ready", True, True, (), ())
    assert told(r, closed=("credentials",)) == ("not ready", False, True, ("gate credentials",), ())
    assert told(r) == ("ready", True, True, (), ())
    assert told(r, critical=("core",)) == ("not ready", False, True, ("step core",), ())
    r.drain()
    assert told(r) == ("draining", False, True, ("draining",), ())
    assert told(r, closed=("credentials",))[3] == ("draining", "gate credentials")


def test_at_the_deadline_what_is_not_critical_stops_gating_and_is_named() -> None:
    r = Readiness()
    late = {"short": ("tts",), "floors_gate": False, "lost": ("voice",)}
    assert told(r, critical=("core",), **late)[0] == "starting"
    assert told(r, critical=("core",), **late)[2]  # started all the same: a restart would not make it succeed
    assert told(r, **late) == ("degraded", True, True, (), ("step voice", "floor tts"))


def test_what_gates_is_missing_and_not_degraded_too() -> None:
    verdict = Readiness().judge(Facts(waiting=("voice",), lost=("voice", "extra"), start_over=False))
    assert verdict == Verdict(phase=Phase.STARTING, missing=("step voice",), degraded=("step extra",), started=False)


names = st.sets(st.sampled_from("abc")).map(lambda found: tuple(sorted(found)))
facts = st.builds(
    Facts, critical=names, closed=names, waiting=names, short=names, lost=names, floors_gate=st.booleans()
)


@given(st.lists(st.one_of(facts, st.none()), max_size=12))
def test_whatever_happens_the_promises_hold(sequence: list[Facts | None]) -> None:
    r = Readiness()
    was_ready = drained = False
    for each in sequence:
        if each is None:
            r.drain()
            drained = True
            continue
        verdict = r.judge(each)
        always = bool(each.critical or each.closed)
        first_only = bool(each.waiting or (each.short and each.floors_gate))
        assert verdict.ready == (not drained and not always and (was_ready or not first_only))
        assert verdict.ready == (not verdict.missing)
        was_ready = was_ready or verdict.ready
        assert verdict.started or not was_ready
