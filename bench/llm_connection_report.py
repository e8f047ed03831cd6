"""The benchmark's files: JSON with every sample, a picture, and a page in Markdown."""

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from subprocess import run

from llm_connection_figures import Cell, Figures, Results, floor_ms
from target import target_table
from warmline.report import Dot, DotPanel, DotSeries, figure, markdown_table

__all__ = ["write_results"]

_NAMES = {
    "fresh": "fresh client",
    "plain": "plain SDK",
    "livekit": "LiveKit prewarm",
    "warmline": "Warmline",
    "aiohttp": "plain session",
    "aiohttp-warmline": "Warmline",
}
# What is compared with what.
_GROUPS = {"openai SDK": ("warmline", "fresh", "plain", "livekit"), "aiohttp": ("aiohttp-warmline", "aiohttp")}
_NOT_MEASURABLE = "not measurable"
# Who waits for a time-out waits so long that everything else would be one dot beside it.
_NOT_DRAWN = ("NAT drop, 0 s", "NAT drop, 5 s")


def write_results(folder: Path, name: str, results: Results, figures: Figures, *, took_min: float) -> None:
    """Write `name`.json, .svg and .md."""
    folder.mkdir(parents=True, exist_ok=True)
    about = _about(results, took_min)
    samples = {
        str(rtt_ms): {
            arm: {state: [asdict(sample) for sample in each] for state, each in found.items()}
            for arm, found in arms.items()
        }
        for rtt_ms, arms in results.samples.items()
    }
    document = {"about": about, "figures": asdict(figures), "samples": samples}
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / f"{name}.svg").write_text(_picture(figures))
    (folder / f"{name}.md").write_text(_page(name, figures, about))


def _about(results: Results, took_min: float) -> dict[str, object]:
    commit = run(["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    return {
        "commit": commit.strip(),
        "system": f"{platform.system()} {platform.release()}, {len(os.sched_getaffinity(0))} cores",
        "network": results.network,
        "congestion control": _congestion_control(),
        "versions": dict(results.versions),
        "took_min": round(took_min, 1),
    }


def _congestion_control() -> str:
    try:
        return Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    except OSError:
        return "unknown"


def _page(name: str, figures: Figures, about: Mapping[str, object]) -> str:
    parts = [
        "# The connection to a language model",
        f"Milliseconds from a request to the first words of its answer: median / 95th percentile. ![]({name}.svg)",
        _explained(about),
        *(_table(figures.states, group, rtt_ms, arms) for group, rtt_ms, arms in _compared(figures)),
        "## Targets",
        target_table(figures.targets),
        "## Measured on",
        "\n".join(f"- {what}: {value}" for what, value in about.items()),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _explained(about: Mapping[str, object]) -> str:
    return (
        "The openai SDK over TLS 1.3, a name server 20 ms away, 50 ms from a request's arrival to its first token, "
        "prompts of 4 KB, in a process whose Python is warm. The floor is one round trip and those 50 ms; bare socket: "
        "what it is on this machine, in the same process, over a connection that is open and grown, without any "
        "library. After a barge-in the next request follows in half a second. A burst is five requests at once; "
        "Warmline's floor is five there. Close race: the server closes just as the request arrives. NAT drop: all "
        "flows are dropped in silence after 2 s without a request, those of as many calls as there are samples, and so "
        "many connections are Warmline's floor there; 0 s: the request that meets it, next: the one after that, 5 s: "
        "the first after so long. Large prompts: the first request of a client, after whatever it does to warm up, by "
        f"two congestion controls (the host's own is {about['congestion control']}). Errors are those that the caller "
        "got; no answer within 12 s is one. With aiohttp there is no warm-up of a prompt's size."
    )


_Arms = Mapping[str, Mapping[str, Cell]]


def _compared(figures: Figures) -> Iterator[tuple[str, int, _Arms]]:
    """Group, distance and what was found, where anything was."""
    for group, names in _GROUPS.items():
        for rtt_ms, arms in figures.cells.items():
            if shown := {name: arms[name] for name in names if name in arms}:
                yield group, rtt_ms, shown


def _table(states: Sequence[str], group: str, rtt_ms: int, arms: _Arms) -> str:
    rows = [[state, *(_written(found.get(state)) for found in arms.values())] for state in states]
    title = f"## {group}, round trip {rtt_ms} ms: floor {floor_ms(rtt_ms):.0f} ms"
    return f"{title}\n\n{markdown_table(['state', *(_NAMES[arm] for arm in arms)], rows)}"


def _written(cell: Cell | None) -> str:
    if cell is None:
        return _NOT_MEASURABLE
    errors = f"{cell.errors} of {cell.of} errors" if cell.errors else ""
    if cell.median is None:
        return errors
    return f"{cell.median.value:.0f} / {cell.p95:.0f}" + (f", {errors}" if errors else "")


def _picture(figures: Figures) -> str:
    panels = [_panel(figures.states, group, rtt_ms, arms) for group, rtt_ms, arms in _compared(figures)]
    described = "Time to the first words of an answer in each state, for each arm, with 95 % intervals of medians."
    return figure(panels, title="The connection to a language model", description=described)


def _panel(measured: Sequence[str], group: str, rtt_ms: int, arms: _Arms) -> DotPanel:
    drawn = [state for state in measured if state not in _NOT_DRAWN]
    states = [state for state in drawn if any(_dot(found.get(state)) for found in arms.values())]
    return DotPanel(
        title=f"{group}, round trip {rtt_ms} ms",
        note=f"Median with its 95 % interval. Floor: {floor_ms(rtt_ms):.0f} ms.",
        rows=states,
        series=[DotSeries(_NAMES[arm], _dots(arms[arm], states), series=number) for number, arm in enumerate(arms)],
    )


def _dots(cells: Mapping[str, Cell], states: Sequence[str]) -> list[Dot | None]:
    return [_dot(cells.get(state)) for state in states]


def _dot(cell: Cell | None) -> Dot | None:
    if cell is None or cell.median is None:
        return None
    return Dot(cell.median.value, cell.median.low, cell.median.high)
