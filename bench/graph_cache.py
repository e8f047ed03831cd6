"""What a restart gains from the cache of optimised graphs: the same models with and without it, side by side.

    python bench/graph_cache.py            # 15 rounds, about 2 minutes; needs the test group of pyproject.toml
    python bench/graph_cache.py --quick    # 3 rounds: a smoke test

Every sample is a fresh process, the arms take turns. *Load* is from the model's path to the first verified inference;
*restart* is the whole process, interpreter and imports included. Content hashes are part of both: a cached graph is
only used when its bytes and those of its model are proved. Writes bench/results/graph_cache.{json,md}; exits with 1
when the restart of the model whose optimisation dominates takes more than 0.6 of what it takes without the cache.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from foldable_model import write_foldable_model
from warmline.measure import Estimate, median_estimate, ratio_of_medians
from warmline.report import markdown_table

_BENCH = Path(__file__).parent
_LOAD = _BENCH / "graph_cache_load.py"
_TARGET = 0.6
_MODELS = {
    "made": "a graph of 200 layers, each with 24 constant operations to fold",
    "embedded": "Silero and smart-turn, as the agent loads them",
}

Samples = dict[str, dict[str, list[float]]]


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 rounds: a smoke test")
    parser.add_argument("--output", type=Path, default=_BENCH / "results", help="folder of the results")
    options = parser.parse_args()
    samples = _measure(3 if options.quick else 15)
    page = _page(samples)
    name = "graph_cache_quick" if options.quick else "graph_cache"
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{name}.json").write_text(json.dumps(samples, indent=1) + "\n")
    (options.output / f"{name}.md").write_text(page)
    print(page)
    return 0 if _ratio(samples, "made", "restart").value <= _TARGET else 1


def _measure(rounds: int) -> Samples:
    samples: Samples = {
        f"{model} {arm}": {"load": [], "restart": []} for model in _MODELS for arm in ("plain", "cached")
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "foldable.onnx"
        write_foldable_model(path)
        for model in _MODELS:
            _restart(model, path, Path(folder) / "graphs")  # the start that fills the cache
        for number in range(rounds):
            arms = [(model, arm) for model in _MODELS for arm in ("plain", "cached")]
            for model, arm in arms if number % 2 else reversed(arms):
                load_ms, restart_ms = _restart(model, path, Path(folder) / "graphs" if arm == "cached" else None)
                samples[f"{model} {arm}"]["load"].append(load_ms)
                samples[f"{model} {arm}"]["restart"].append(restart_ms)
    return samples


def _restart(model: str, path: Path, cache: Path | None) -> tuple[float, float]:
    command = [sys.executable, str(_LOAD), model, str(path), "" if cache is None else str(cache)]
    began_sec = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1]), (time.perf_counter() - began_sec) * 1000


def _ratio(samples: Samples, model: str, what: str) -> Estimate:
    return ratio_of_medians(samples[f"{model} cached"][what], samples[f"{model} plain"][what])


def _page(samples: Samples) -> str:
    rows = [_row(samples, model, what) for model in _MODELS for what in ("load", "restart")]
    table = markdown_table(["model", "what", "without (ms)", "with (ms)", "with / without"], rows, text_columns=2)
    legend = "\n".join(f"- *{name}*: {meaning}" for name, meaning in _MODELS.items())
    rounds = len(samples["made plain"]["load"])
    return f"# Restart with the graph cache\n\n{legend}\n\nMedians of {rounds} rounds, 95 % intervals.\n\n{table}"


def _row(samples: Samples, model: str, what: str) -> Sequence[str]:
    plain, cached = (median_estimate(samples[f"{model} {arm}"][what]) for arm in ("plain", "cached"))
    ratio = _ratio(samples, model, what)
    figures = [_figure(plain, 0), _figure(cached, 0), _figure(ratio, 2)]
    return [model, what, *figures]


def _figure(estimate: Estimate, digits: int) -> str:
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} .. {estimate.high:.{digits}f})"


if __name__ == "__main__":
    sys.exit(main())
