"""The benchmark's files: JSON with every sample, a picture, and a page in Markdown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from first_turn_arms import WARM, Arm
from first_turn_figures import Comparison, Figures
from first_turn_samples import Samples
from machine import this_machine
from target import target_table, yes
from warmline.measure import Estimate
from warmline.report import Bar, BarPanel, Dot, DotPanel, DotSeries, figure, markdown_table

__all__ = ["write_results"]

_WARM_SERIES, _COLD_SERIES = 0, 1


def write_results(
    folder: Path, name: str, samples: Samples, figures: Figures, arms: Sequence[Arm], *, took_min: float
) -> None:
    """Write `name`.json, .svg and .md. The picture is the README's: another commit is compared on the page alone."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = this_machine()
    document = {
        "machine": machine,
        "took_min": round(took_min, 1),
        "figures": asdict(figures),
        "samples": asdict(samples),
    }
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / f"{name}.svg").write_text(_picture(figures, [arm for arm in arms if arm.pythonpath is None]))
    (folder / f"{name}.md").write_text(_page(name, figures, arms, machine, took_min))


def _picture(figures: Figures, arms: Sequence[Arm]) -> str:
    panels = [_greeting_panel(figures, arms)]
    if figures.turns:
        panels.append(_turn_panel(figures, arms))  # type: ignore[arg-type] # both are panels
    warm = figures.greetings_ms[WARM.name].median.value
    slowest = max(figures.times.items(), key=lambda item: item[1].value, default=None)
    description = f"Warmline's greeting is heard {warm:.0f} ms after the call"
    if slowest is not None:
        description += f"; {slowest[0]} takes {slowest[1].value:.0f} times as long"
    return figure(panels, title="The first turn, cold and warm", description=f"{description}.")


def _greeting_panel(figures: Figures, arms: Sequence[Arm]) -> BarPanel:
    bars = []
    for arm in arms:
        if (spread := figures.greetings_ms.get(arm.name)) is None:
            continue
        middle, times = spread.median, figures.times.get(arm.name)
        note = f"{times.value:.0f} x Warmline's" if times and times.value >= 1.5 else ""
        bars.append(
            Bar(
                label=arm.name,
                value=middle.value,
                low=middle.low,
                high=middle.high,
                text=f"{middle.value:,.0f} ms",
                note=note,
                series=_series(arm),
            )
        )
    least = min(spread.median.n for spread in figures.greetings_ms.values())
    explained = f"From the start of the call to the first audible sample. Medians, 95 % intervals, n ≥ {least} each."
    return BarPanel(title="Call to greeting heard", note=explained, bars=bars)


def _turn_panel(figures: Figures, arms: Sequence[Arm]) -> DotPanel:
    shown = [arm for arm in arms if arm.name in figures.turns]
    turns = max(len(figures.turns[arm.name].by_turn_ms) for arm in shown)
    series = [DotSeries(arm.name, _dots(figures.turns[arm.name].by_turn_ms, turns), _series(arm)) for arm in shown]
    least = min(figures.turns[arm.name].calls for arm in shown)
    note = "From the last sample the caller spoke to the first it heard of the answer, the same question every turn. "
    return DotPanel(
        title="Voice-to-voice time, turn by turn",
        note=f"{note}n ≥ {least}.",
        rows=[f"turn {turn}" for turn in range(1, turns + 1)],
        series=series,
    )


def _dots(estimates: Sequence[Estimate], turns: int) -> list[Dot | None]:
    dots: list[Dot | None] = [Dot(estimate.value, estimate.low, estimate.high) for estimate in estimates]
    return dots + [None] * (turns - len(dots))


def _series(arm: Arm) -> int:
    return _WARM_SERIES if arm.name == WARM.name else _COLD_SERIES


def _page(name: str, figures: Figures, arms: Sequence[Arm], machine: Mapping[str, str], took_min: float) -> str:
    where = "; ".join(f"{key} {value}" for key, value in machine.items())
    parts = [
        "# The first turn",
        f"Measured by `bench/first_turn.py` in {took_min:.0f} minutes. {where}.",
        f"![Call to greeting heard, and voice-to-voice time by turn]({name}.svg)",
        "## Call to greeting heard",
        _greeting_table(figures, arms),
        "What each first caller waited for:",
        "\n".join(f"- {arm.name}: {arm.paid}" for arm in arms),
        "## Voice-to-voice time",
        _turn_table(figures, arms),
        *_comparisons("## First and tenth call of a server", figures.first_and_tenth),
        *_comparisons("## Compared with the other commit", figures.against_base),
        *_parallel(figures),
        "## Targets",
        target_table(figures.targets),
        f"Calls that were not completed: {figures.incomplete}. The caller's own frames left at most "
        f"{figures.late_frame_ms:.1f} ms late in 95 % of calls.",
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _greeting_table(figures: Figures, arms: Sequence[Arm]) -> str:
    rows = []
    for arm in arms:
        if (spread := figures.greetings_ms.get(arm.name)) is not None:
            times = figures.times.get(arm.name)
            ratio = f"{times.value:.1f} ({times.low:.1f} .. {times.high:.1f})" if times else "1"
            rows.append([arm.name, str(spread.median.n), *_estimate(spread.median), f"{spread.p95:.1f}", ratio])
    return markdown_table(["arm", "n", "median ms", "95 % interval", "p95 ms", "times Warmline's"], rows)


def _turn_table(figures: Figures, arms: Sequence[Arm]) -> str:
    rows = []
    for arm in arms:
        if (found := figures.turns.get(arm.name)) is not None:
            tax = found.cold_tax_ms
            rows.append(
                [
                    arm.name,
                    str(found.calls),
                    f"{found.by_turn_ms[0].value:.0f}",
                    *_estimate(found.steady_ms.median),
                    f"{found.steady_ms.p95:.0f}",
                    f"{tax.value:.1f} ({tax.low:.1f} .. {tax.high:.1f})" if tax else "-",
                ]
            )
    headers = [
        "arm",
        "calls",
        "turn 1 ms",
        "later turns, median ms",
        "95 % interval",
        "p95 ms",
        "cold tax ms (interval)",
    ]
    return markdown_table(headers, rows)


def _comparisons(title: str, comparisons: Sequence[Comparison]) -> list[str]:
    if not comparisons:
        return []
    rows = [
        [each.what, *_estimate(each.difference_ms), str(each.difference_ms.n), yes(each.no_slower)]
        for each in comparisons
    ]
    explained = "No slower: the 95 % interval of the difference of medians includes 0 or lies below 5 ms."
    return [title, explained, markdown_table(["", "difference ms", "95 % interval", "n", "no slower"], rows)]


def _parallel(figures: Figures) -> list[str]:
    if figures.parallel_ms is None:
        return []
    spread, right = figures.parallel_ms, figures.parallel_right
    return [
        "## Three calls at a time",
        f"Voice-to-voice median {spread.median.value:.0f} ms ({spread.median.low:.0f} .. {spread.median.high:.0f}), "
        f"p95 {spread.p95:.0f} ms, {spread.median.n} turns; {right.right} of {right.of} replies answered the caller's "
        "own question.",
    ]


def _estimate(estimate: Estimate) -> list[str]:
    return [f"{estimate.value:.1f}", f"{estimate.low:.1f} .. {estimate.high:.1f}"]
