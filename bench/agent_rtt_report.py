"""The files of `agent_rtt.py`: JSON with every call, a picture, and a page in Markdown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agent_rtt_figures import Figures, Sample, StateFigures
from target import target_table
from warmline.measure import Estimate
from warmline.report import Dot, DotPanel, DotSeries, figure, markdown_table

__all__ = ["About", "write_results"]

_TITLE = "The agent, far from its language model"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What was measured, and on what."""

    rtt_ms: int
    first_token_ms: float
    silence_sec: float
    took_min: float
    machine: Mapping[str, str]


def write_results(folder: Path, name: str, samples: Sequence[Sample], figures: Figures, about: About) -> str:
    """Write `name`.json, .svg and .md; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"about": asdict(about), "figures": asdict(figures), "samples": [asdict(each) for each in samples]}
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / f"{name}.svg").write_text(_picture(figures, about))
    page = _page(name, figures, about)
    (folder / f"{name}.md").write_text(page)
    return page


def _page(name: str, figures: Figures, about: About) -> str:
    parts = [
        f"# {_TITLE}",
        f"Milliseconds, medians with 95 % intervals. ![]({name}.svg)",
        _explained(figures, about),
        markdown_table(
            _HEAD, [_row(arm, state, found) for arm, each in figures.states.items() for state, found in each.items()]
        ),
        "## Targets",
        target_table(figures.targets),
        "## Measured on",
        "\n".join(f"- {what}: {value}" for what, value in about.machine.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _explained(figures: Figures, about: About) -> str:
    least_sec, most_sec = figures.silences_sec
    return (
        f"The model is emulated: {about.rtt_ms} ms away by a proxy, over TLS 1.3, {about.first_token_ms:.0f} ms from a "
        f"request to its first token, so that nothing can be below {about.rtt_ms + about.first_token_ms:.0f} ms. Every "
        "call is the first of a new server, and says the same eight times. *More* is a turn's time less the median of "
        "the later turns of the same call. *The model* is from request to first token, as the agent takes it. *Turn "
        "end* is from the end of speech, by the VAD, to the decision that the turn is over. A barge-in breaks off a "
        f"stream of which more was to come. Silences took {least_sec:.0f} to {most_sec:.0f} s. {figures.calls} calls, "
        f"{figures.incomplete} of them failed; the caller's worst frames left {figures.late_frame_ms:.0f} ms late. "
        f"It took {about.took_min:g} minutes."
    )


_HEAD = ["arm", "turn", "n", "voice-to-voice", "more", "the model", "more of that", "turn end"]


def _row(arm: str, state: str, found: StateFigures) -> list[str]:
    return [
        arm,
        state,
        str(found.v2v_ms.n),
        f"{found.v2v_ms.value:.0f}",
        _interval(found.more_v2v_ms),
        f"{found.model_ms.value:.0f}",
        _interval(found.more_model_ms),
        f"{found.decided_ms.value:.0f}",
    ]


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:+.0f} ({estimate.low:+.0f} to {estimate.high:+.0f})"


def _picture(figures: Figures, about: About) -> str:
    note = f"Median with its 95 % interval, {about.rtt_ms} ms from the model."
    panels = [
        _panel(
            "Voice-to-voice time, at the caller", note, {a: _of(each, "v2v_ms") for a, each in figures.states.items()}
        ),
        _panel(
            "From the request to the first token",
            note,
            {a: _of(each, "model_ms") for a, each in figures.states.items()},
        ),
    ]
    return figure(panels, title=_TITLE, description="The time of a turn by what came before it, for each arm.")


def _of(states: Mapping[str, StateFigures], measure: str) -> Mapping[str, Estimate]:
    return {state: getattr(found, measure) for state, found in states.items()}


def _panel(title: str, note: str, arms: Mapping[str, Mapping[str, Estimate]]) -> DotPanel:
    rows = list(next(iter(arms.values())))
    return DotPanel(
        title=title,
        note=note,
        rows=rows,
        series=[
            DotSeries(arm, [Dot(each.value, each.low, each.high) for each in found.values()], series=number)
            for number, (arm, found) in enumerate(arms.items())
        ],
    )
