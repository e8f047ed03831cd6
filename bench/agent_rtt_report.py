"""Figures and page of `agent_rtt.py`."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from warmline.measure import CallResult
from warmline.report import markdown_table

__all__ = ["write_results"]

_PAUSED_TURN = 2
Samples = Mapping[str, Mapping[str, Sequence[CallResult]]]


def write_results(folder: Path, samples: Samples, *, rtt_ms: int, pause_sec: float) -> str:
    """Write agent_rtt.json and .md; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    document = {
        "machine": machine,
        "rtt_ms": rtt_ms,
        "pause_sec": pause_sec,
        "figures": {name: figures(arm) for name, arm in samples.items()},
        "samples": {
            name: {kind: [asdict(each) for each in calls] for kind, calls in arm.items()}
            for name, arm in samples.items()
        },
    }
    (folder / "agent_rtt.json").write_text(json.dumps(document, indent=1, default=str) + "\n")
    page = _page(samples, rtt_ms, pause_sec)
    (folder / "agent_rtt.md").write_text(page)
    return page


def figures(arm: Mapping[str, Sequence[CallResult]]) -> dict[str, float | None]:
    """Medians in milliseconds. A turn is compared with the others of its own arm, since all say the same.

    `other turns` are turns 2 to 5 of calls one after the other; the differences are against their median.
    """
    steady, interrupted, silent = arm["one after the other"], arm["interrupted"], arm["with a silence"]
    other = _median([ms for call in steady for ms in _v2v(call)[1:]])
    first = _median([_v2v(call)[0] for call in steady])
    barged = _median([ms for call in interrupted for ms in _v2v(call)[1:]])
    paused = _median([_v2v(call)[_PAUSED_TURN] for call in silent])
    return {
        "other turns": other,
        "cold tax": _less(first, other),
        "after a barge-in": _less(barged, other),
        "after the silence": _less(paused, other),
    }


def _v2v(call: CallResult) -> list[float | None]:
    found = [turn.v2v_ms for turn in call.turns]
    return [*found, *[None] * (_PAUSED_TURN + 1 - len(found))]


def _median(values: Sequence[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return median(measured) if measured else None


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _page(samples: Samples, rtt_ms: int, pause_sec: float) -> str:
    found = {name: figures(arm) for name, arm in samples.items()}
    names = list(next(iter(found.values())))
    rows = [[name, *(_shown(figure) for figure in of_arm.values())] for name, of_arm in found.items()]
    calls = [call for arm in samples.values() for kind in arm.values() for call in kind]
    failed = sum(not call.completed for call in calls)
    return "\n".join(
        [
            f"# The agent at {rtt_ms} ms from its language model",
            "",
            "Voice-to-voice time in milliseconds, medians; from `cold tax` on, the difference to the other turns.",
            f"The silence is {pause_sec:g} s. {len(calls)} calls, {failed} of them failed.",
            "",
            markdown_table(["arm", *names], rows),
            "",
        ]
    )


def _shown(value_ms: float | None) -> str:
    return "-" if value_ms is None else f"{value_ms:.0f}"
