"""What `gc.freeze()` after the warm-up changes: the garbage collector's pauses in real calls, with and without it.

    python bench/gc_freeze.py              # 6 rounds of one call each, about 6 minutes
    python bench/gc_freeze.py --quick      # 1 round: a smoke test

Every sample is a fresh agent, warmed, that takes one call of `warmline call` over a socket; the arms take turns. A
pause is what `gc.callbacks` sees from the start to the end of a collection: nothing in that process runs meanwhile.
Writes bench/results/gc_freeze.{json,md}.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from machine import this_machine
from warmline.measure import median_estimate
from warmline.report import markdown_table

_BENCH = Path(__file__).parent
_AGENT = _BENCH / "gc_freeze_agent.py"
_CALL = [sys.executable, "-m", "warmline", "call", "--script", str(_BENCH / "calls" / "steady.toml")]
_ARMS = ("frozen", "not frozen")

Pauses = list[tuple[int, float]]
"""(generation, milliseconds) of every collection during one call."""


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1 round: a smoke test")
    parser.add_argument("--output", type=Path, default=_BENCH / "results", help="folder of the results")
    options = parser.parse_args()
    samples: dict[str, list[Pauses]] = {arm: [] for arm in _ARMS}
    for number in range(1 if options.quick else 6):
        for arm in _ARMS if number % 2 else reversed(_ARMS):
            samples[arm].append(_one_call(arm))
    page = _page(samples)
    name = "gc_freeze_quick" if options.quick else "gc_freeze"
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{name}.json").write_text(json.dumps(samples, indent=1) + "\n")
    (options.output / f"{name}.md").write_text(page)
    print(page)
    return 0


def _one_call(arm: str) -> Pauses:
    with (
        tempfile.TemporaryDirectory() as cache_dir,
        subprocess.Popen(
            [sys.executable, str(_AGENT), arm.replace(" ", "-"), cache_dir],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as agent,
    ):
        assert agent.stdin is not None
        assert agent.stdout is not None
        url = agent.stdout.readline().strip()
        # 3: completed, but a reply was not the expected one, which does not matter here.
        status = subprocess.run([*_CALL, url], stdout=subprocess.DEVNULL, check=False).returncode
        pauses, _ = agent.communicate("stop\n")
    if status not in (0, 3):
        raise SystemExit(f"the call was not completed (exit status {status})")
    return [(int(generation), float(ms)) for generation, ms in json.loads(pauses)]


def _page(samples: dict[str, list[Pauses]]) -> str:
    rows = [
        _row(what, [[choose(pauses) for pauses in samples[arm]] for arm in _ARMS])
        for what, choose in (
            ("collections a call", lambda pauses: float(len(pauses))),
            ("of all generations a call", lambda pauses: float(len(_full(pauses)))),
            ("paused in all (ms)", lambda pauses: sum(ms for _, ms in pauses)),
            ("longest pause (ms)", lambda pauses: max((ms for _, ms in pauses), default=0.0)),
            ("longest of all generations (ms)", lambda pauses: max(_full(pauses), default=0.0)),
        )
    ]
    calls = len(samples[_ARMS[0]])
    table = markdown_table(["pauses of the collector", *_ARMS], rows)
    where = "; ".join(f"{key} {value}" for key, value in this_machine().items())
    return (
        f"# Freezing what lives until the end\n\nMeasured by `bench/gc_freeze.py`: medians over {calls} calls of each, "
        f"with 95 % intervals. {where}.\n\n{table}"
    )


def _full(pauses: Pauses) -> list[float]:
    return [ms for generation, ms in pauses if generation == 2]


def _row(what: str, arms: Sequence[Sequence[float]]) -> list[str]:
    estimates = [median_estimate(values) for values in arms]
    return [what, *(f"{each.value:.1f} ({each.low:.1f} .. {each.high:.1f})" for each in estimates)]


if __name__ == "__main__":
    sys.exit(main())
