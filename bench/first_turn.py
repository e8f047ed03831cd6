"""How long the first caller waits: a cold process, imports only, plain Pipecat and Warmline, side by side in one run.

    python bench/first_turn.py            # about 13 minutes; FULL=1 does more, BASE=<commit> adds that commit as an arm
    python bench/first_turn.py --quick    # a smoke test: too few samples to conclude anything from

Writes bench/results/first_turn.{json,svg,md} (first_turn_quick.* with --quick). Exits with 1 when a call failed.
The caller is this process; every server is another one, and so is the language model, which all arms share.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from first_turn_arms import COLD, IMPORTS, PLAIN, WARM, Arm, base_arm, worktree
from first_turn_figures import figures_of
from first_turn_report import write_results
from first_turn_samples import Rounds, Samples, measure, plans_for
from first_turn_servers import run_to_end
from warmline.emulators import EmulatorProcess
from warmline.measure import CallScript, ScriptTurn, load_script

_BENCH = Path(__file__).parent
_PARALLEL = (
    ("what are your opening hours", "noon to ten"),
    ("what is your address", "river street"),
    ("do you have parking", "behind the house"),
)
_PARALLEL_TURNS = 3


def main() -> int:
    """Measure, write, and print where."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few samples only: a smoke test")
    parser.add_argument("--output", type=Path, default=_BENCH / "results", help="folder of the results")
    options = parser.parse_args()
    began_sec = time.monotonic()
    commit = os.environ.get("BASE", "")
    full = os.environ.get("FULL") == "1"
    rounds = _rounds(quick=options.quick, full=full, base=bool(commit), began_sec=began_sec)
    with ExitStack() as stack:
        base = [base_arm(stack.enter_context(worktree(commit)), commit)] if commit else []
        samples = run_to_end(_measure(rounds, [PLAIN, *base, WARM]))
    figures = figures_of(samples, base[0].name if base else None)
    name = "first_turn_quick" if options.quick else "first_turn"
    arms = [COLD, IMPORTS, PLAIN, *base, WARM]
    took_min = (time.monotonic() - began_sec) / 60
    write_results(options.output, name, samples, figures, arms, took_min=took_min)
    print((options.output / f"{name}.md").read_text())
    return 1 if figures.incomplete else 0


def _rounds(*, quick: bool, full: bool, base: bool, began_sec: float) -> Rounds:
    if quick:
        return Rounds(greetings=3, calls=2, sequences=1, parallel=1, until_sec=began_sec + 300)
    if full:
        return Rounds(greetings=100, calls=30, sequences=20, parallel=10, until_sec=began_sec + 7200)
    # No round begins after 14 minutes, so that the whole run stays within 15; one more arm takes five more.
    return Rounds(greetings=30, calls=8, sequences=5, parallel=3, until_sec=began_sec + (1140 if base else 840))


async def _measure(rounds: Rounds, running_arms: Sequence[Arm]) -> Samples:
    plans = plans_for(load_script(_BENCH / "calls" / "steady.toml"), [_asks(*each) for each in _PARALLEL])
    emulator = await EmulatorProcess.start()
    try:
        return await measure(
            rounds, plans, running_arms, emulator.url, lambda line: print(line, file=sys.stderr, flush=True)
        )
    finally:
        await emulator.aclose()


def _asks(question: str, answer: str) -> CallScript:
    turn = ScriptTurn(say=question, expect=re.compile(answer, re.IGNORECASE))
    return CallScript(question, (turn,) * _PARALLEL_TURNS)


if __name__ == "__main__":
    sys.exit(main())
