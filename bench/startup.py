"""From process start to exercised and ready: the plan, its steps one by one, plain Pipecat, LiveKit's worker.

    python bench/startup.py            # 12 rounds, about 8 minutes
    python bench/startup.py --quick    # 2 rounds: a smoke test
    python bench/startup.py --livekit-python .venv-startup/bin/python   # with requirements-startup.txt installed

Every sample is a fresh process; the arms take turns, each round begins with another one. A bound says how long the
start would take at the least: the longest of what waits for each other, CPU seconds by cores, and what holds the GIL.
Writes bench/results/startup.{json,svg,md}; exits with 1 when the plan takes more than 1.15 of that bound.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from startup_arms import PLAIN, PLAN, SERIAL, Arm, livekit_arm
from startup_bound import bound_of, steps_of_the_plan
from startup_processes import NotMeasurable, Start, one_start
from startup_report import TARGET, ratio_to_bound, write_results
from warmline.emulators import EmulatorProcess

_BENCH = Path(__file__).parent
_NO_ENVIRONMENT = "no environment with bench/requirements-startup.txt at {}"


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2 rounds: a smoke test")
    parser.add_argument("--output", type=Path, default=_BENCH / "results", help="folder of the results")
    parser.add_argument("--livekit-python", type=Path, default=_BENCH.parent / ".venv-startup" / "bin" / "python")
    options = parser.parse_args()
    arms = [PLAN, SERIAL, PLAIN, livekit_arm(options.livekit_python)]
    samples, missing = asyncio.run(_measure(arms, 2 if options.quick else 12))
    steps = steps_of_the_plan()
    bounds = [bound_of(start, steps, len(os.sched_getaffinity(0))) for start in samples[SERIAL.name]]
    name = "startup_quick" if options.quick else "startup"
    print(write_results(options.output, name, arms, samples, bounds, missing))
    return 0 if ratio_to_bound(samples, bounds).value <= TARGET else 1


async def _measure(arms: Sequence[Arm], rounds: int) -> tuple[dict[str, list[Start]], dict[str, str]]:
    emulator = await EmulatorProcess.start()  # for plain Pipecat; the others start their own
    try:
        with tempfile.TemporaryDirectory() as cache:
            given = {
                "OPENAI_BASE_URL": emulator.url,
                "OPENAI_API_KEY": "local",
                "WARMLINE_CACHE_DIR": f"{cache}/warmline",
                # Bytecode is kept, as it is of any installed package: empty means unset.
                "PYTHONDONTWRITEBYTECODE": "",
            }
            return await asyncio.to_thread(_rounds, arms, rounds, given)
    finally:
        await emulator.aclose()


def _rounds(
    arms: Sequence[Arm], rounds: int, environment: Mapping[str, str]
) -> tuple[dict[str, list[Start]], dict[str, str]]:
    missing = _fill_caches(arms, environment)
    measured = [arm for arm in arms if arm.name not in missing]
    samples: dict[str, list[Start]] = {arm.name: [] for arm in measured}
    for number in range(rounds):
        first = number % len(measured)
        for arm in measured[first:] + measured[:first]:
            samples[arm.name].append(one_start(arm, environment))
        glance = ", ".join(f"{name} {starts[-1].ready_ms:.0f} ms" for name, starts in samples.items())
        print(f"round {number + 1} of {rounds}: {glance}", file=sys.stderr, flush=True)
    return samples, missing


def _fill_caches(arms: Sequence[Arm], environment: Mapping[str, str]) -> dict[str, str]:
    """One start of each that does not count; what LiveKit's worker lacks is said, a failure of ours is one."""
    missing: dict[str, str] = {}
    for arm in arms:
        try:
            if not Path(arm.command[0]).exists():
                raise NotMeasurable(_NO_ENVIRONMENT.format(arm.command[0]))
            one_start(arm, environment)
        except NotMeasurable as why:
            if arm in (PLAN, SERIAL, PLAIN):
                raise
            missing[arm.name] = str(why)
    return missing


if __name__ == "__main__":
    sys.exit(main())
