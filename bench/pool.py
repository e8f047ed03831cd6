"""What lending costs: Warmline's pool beside six others, in one run, in CPU time.

    python -m venv .venv-bench && .venv-bench/bin/pip install -r bench/requirements-pool.txt -e .
    .venv-bench/bin/python bench/pool.py

Resources are plain objects, so only the pools themselves are measured. Rounds interleave the pools, and each round's
figure is divided by `asyncio.LifoQueue`'s of the same round: on a shared machine only ratios mean anything.
Writes `bench/results/pool.{json,md,svg}`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pool_measures import burst, contended, rounds, sweep_of_many, uncontended
from pool_report import plot, table
from pool_rivals import CLOSERS, POOLS

RESULTS = Path(__file__).parent / "results"


async def run(count: int, turns: int) -> dict[str, Any]:
    alone = await rounds(uncontended, list(POOLS), count, turns)
    shared_names = [name for name in POOLS if name not in ("deque", "Warmline DEDICATED", "LiveKit")]
    shared = await rounds(contended, shared_names, count, turns)
    bursts: dict[str, float] = {}
    for kind in ("Warmline", "asyncpg", "psycopg", "LiveKit"):
        try:
            bursts[kind] = statistics.median([await burst(kind) for _ in range(5)])
        except Exception as error:
            print(f"  burst {kind}: not measured ({type(error).__name__}: {error})", file=sys.stderr)
    sweep = await sweep_of_many()
    for close in CLOSERS:
        await close()
    return {"uncontended": alone, "contended": shared, "burst": bursts, "sweep": sweep}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--turns", type=int, default=5000)
    asked = parser.parse_args()
    results = asyncio.run(run(asked.rounds, asked.turns))
    names = ("warmline", "psycopg-pool", "asyncpg", "redis", "livekit-agents")
    results["versions"] = {name: version(name) for name in names}
    results["python"] = platform.python_version()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "pool.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / "pool.md").write_text(table(results))
    plot(results, RESULTS / "pool.svg")
    print(table(results))


if __name__ == "__main__":
    main()
