"""The files of `startup.py`: JSON with every sample, a page in Markdown, and a picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from machine import this_machine
from startup_arms import PLAIN, PLAN, SERIAL, Arm
from startup_bound import Bound
from startup_processes import Start
from warmline.measure import Estimate, median, median_estimate, ratio_of_medians
from warmline.report import Bar, BarPanel, figure, markdown_table

__all__ = ["TARGET", "ratio_to_bound", "write_results"]

TARGET = 1.15
Samples = Mapping[str, Sequence[Start]]


def ratio_to_bound(samples: Samples, bounds: Sequence[Bound]) -> Estimate:
    """The plan's time to ready by the bound."""
    return ratio_of_medians(_ready_ms(samples, PLAN), [1000 * bound.sec for bound in bounds])


def write_results(
    folder: Path, name: str, arms: Sequence[Arm], samples: Samples, bounds: Sequence[Bound], missing: Mapping[str, str]
) -> str:
    """Write `name`.json, .svg and .md; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": this_machine(),
        "samples": {arm: [asdict(start) for start in starts] for arm, starts in samples.items()},
        "bounds": [asdict(bound) for bound in bounds],
        "not measurable": dict(missing),
    }
    page = _page(name, arms, samples, bounds, missing)
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / f"{name}.svg").write_text(_picture(arms, samples, bounds))
    (folder / f"{name}.md").write_text(page)
    return page


def _page(name: str, arms: Sequence[Arm], samples: Samples, bounds: Sequence[Bound], missing: Mapping[str, str]) -> str:
    where = "; ".join(f"{key} {value}" for key, value in this_machine().items())
    starts = min(len(each) for each in samples.values())
    headers = ["", "process start to ready (ms)", "first call to greeting (ms)", "together (ms)", "CPU (s)"]
    rows = [_arm_row(arm, samples, missing) for arm in arms]
    return "\n\n".join(
        [
            "# From process start to ready",
            f"Measured by `bench/startup.py`; {starts} starts of each, in turn. {where}.",
            f"![Process start to ready, and to the first greeting]({name}.svg)",
            markdown_table(headers, rows).rstrip(),
            "Medians with 95 % intervals. Caches on disk (models, graphs, bytecode) were filled by a start that is not "
            "counted. *Ready* is not the same promise everywhere, so the greeting of the first call is beside it:",
            "\n".join(f"- {arm.name}: {arm.ready.value}; exercised: {arm.exercised}." for arm in arms),
            "## The least it could take",
            _bound_table(samples, bounds),
            _bound_text(samples, bounds),
            "## Every step",
            "*Alone* is from the serial starts, in which nothing else runs.",
            _step_table(samples, bounds),
        ]
    )


def _arm_row(arm: Arm, samples: Samples, missing: Mapping[str, str]) -> list[str]:
    if arm.name in missing:
        return [arm.name, f"not measurable: {missing[arm.name]}", "", "", ""]
    starts = samples[arm.name]
    ready = _ms(median_estimate(_ready_ms(samples, arm)))
    cpu = f"{median([start.cpu_sec for start in starts]):.2f}"
    greetings = [start.greeting_ms for start in starts if start.greeting_ms is not None]
    if not greetings:
        return [arm.name, ready, "takes no call without a LiveKit server", "", cpu]
    return [arm.name, ready, _ms(median_estimate(greetings)), _ms(median_estimate(_both_ms(starts))), cpu]


def _bound_table(samples: Samples, bounds: Sequence[Bound]) -> str:
    seconds = {
        "longest chain": [bound.chain_sec for bound in bounds],
        "CPU seconds / cores": [bound.cpu_sec for bound in bounds],
        "what holds the GIL, then what needs it": [bound.gil_sec for bound in bounds],
        "bound: the longest of them": [bound.sec for bound in bounds],
        "plan": [ms / 1000 for ms in _ready_ms(samples, PLAN)],
    }
    rows = [[what, _sec(median_estimate(values))] for what, values in seconds.items()]
    return markdown_table(["from process start", "s"], rows).rstrip()


def _bound_text(samples: Samples, bounds: Sequence[Bound]) -> str:
    ratio = ratio_to_bound(samples, bounds)
    saved = ratio_of_medians(_ready_ms(samples, PLAN), _ready_ms(samples, SERIAL))
    met = "met" if ratio.value <= TARGET else "NOT MET"
    return "\n".join(
        [
            f"- plan / bound: {_ratio(ratio)}. Target: at most {TARGET}: {met}.",
            f"- plan / serial: {_ratio(saved)}.",
            f"- Before the plan, part of the chain and of what holds the GIL: {_before(bounds):.2f} s "
            "of interpreter and command.",
            f"- The longest chain of the last round: {', '.join(bounds[-1].chain)}.",
            f"- What holds the GIL, then what needs all of it, in the last round: {', '.join(bounds[-1].gil)}.",
        ]
    )


def _before(bounds: Sequence[Bound]) -> float:
    return median([bound.before_sec for bound in bounds])


def _step_table(samples: Samples, bounds: Sequence[Bound]) -> str:
    rows = [
        [
            name,
            *(f"{1000 * median([start.steps_sec[name] for start in samples[arm.name]]):.0f}" for arm in (SERIAL, PLAN)),
        ]
        for name in samples[SERIAL.name][0].steps_sec
    ]
    return markdown_table(["step", "alone (ms)", "in the plan (ms)"], rows)


def _picture(arms: Sequence[Arm], samples: Samples, bounds: Sequence[Bound]) -> str:
    measured = [arm for arm in arms if arm.name in samples]
    bars = [_bar(arm.name, _ready_ms(samples, arm), arm) for arm in measured]
    bars.append(_bar("bound of the plan", [1000 * bound.sec for bound in bounds], None))
    note = f"Medians, 95 % intervals, n = {len(bounds)} each. Ready is not the same promise everywhere: see the page."
    called = [arm for arm in measured if all(start.greeting_ms for start in samples[arm.name])]
    both = [_bar(arm.name, _both_ms(samples[arm.name]), arm) for arm in called]
    panels = [
        BarPanel(title="Process start to ready", note=note, bars=bars),
        BarPanel(title="Process start to the first greeting", note="A call that comes once it is ready.", bars=both),
    ]
    described = ", ".join(f"{bar.label} {bar.text}" for bar in bars)
    return figure(panels, title="From process start to ready", description=f"{described}.")


def _bar(label: str, values_ms: Sequence[float], arm: Arm | None) -> Bar:
    middle = median_estimate(values_ms)
    series = {PLAN.name: 0, SERIAL.name: 2, PLAIN.name: 1}.get(arm.name, 3) if arm else 4
    return Bar(
        label=label, value=middle.value, low=middle.low, high=middle.high, text=f"{middle.value:,.0f} ms", series=series
    )


def _ready_ms(samples: Samples, arm: Arm) -> list[float]:
    return [start.ready_ms for start in samples[arm.name]]


def _both_ms(starts: Sequence[Start]) -> list[float]:
    return [start.ready_ms + (start.greeting_ms or 0.0) for start in starts]


def _ms(estimate: Estimate) -> str:
    return f"{estimate.value:,.0f} ({estimate.low:,.0f} .. {estimate.high:,.0f})"


def _sec(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} .. {estimate.high:.2f})"


def _ratio(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} .. {estimate.high:.2f})"
