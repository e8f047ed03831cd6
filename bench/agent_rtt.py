"""How far a caller notices the way to the language model: an agent a round trip away from it.

python bench/agent_rtt.py [--rtt 100] [--calls 5] [--pause 60] [--seconds N]

Two arms: the agent, and the same over a client with the SDK's own connections. Each is a server of its own, and the
model an emulated one at that distance, with TLS. Three kinds of call: five turns one after the other (cold tax: the
first against the others), one whose answers are interrupted, one with a silence before its third turn. Exits with 1 if
a call failed. On a busy machine the figures say little.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from agent_rtt_report import write_results
from first_turn_arms import Arm
from first_turn_servers import run_to_end, running
from warmline.emulators import EmulatorProcess
from warmline.measure import Caller, CallPlan, CallResult, Speaker, load_script

_BENCH = Path(__file__).parent
_WARM = Arm(name="warm connections", command=(sys.executable, str(_BENCH / "agent_rtt_agent.py"), "warm"), paid="")
_PLAIN = Arm(name="plain client", command=(sys.executable, str(_BENCH / "agent_rtt_agent.py"), "plain"), paid="")
_FIRST_TOKEN_MS = 50.0
_BARGE_IN_MS = 400.0
_TURNS = 5
_PAUSED_TURN = 2
_REST_SEC = 0.5

Samples = dict[str, dict[str, list[CallResult]]]


def main() -> int:
    """Measure, write the results, print the page."""
    chosen = _options().parse_args()
    samples = run_to_end(_measure(chosen))
    page = write_results(chosen.out, samples, rtt_ms=chosen.rtt, pause_sec=chosen.pause)
    print(page)
    results = [result for arm in samples.values() for calls in arm.values() for result in calls]
    return 0 if all(result.completed for result in results) else 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rtt", type=int, default=100, metavar="MS")
    parser.add_argument("--calls", type=int, default=5, metavar="N", help="of each kind and arm")
    parser.add_argument("--pause", type=float, default=60.0, metavar="SEC")
    parser.add_argument("--seconds", type=float, default=3600.0, help="begin no round after this time")
    parser.add_argument("--out", type=Path, default=_BENCH / "results", metavar="FOLDER")
    return parser


def _plans(pause_sec: float) -> Mapping[str, CallPlan]:
    """Every turn says the same, so that turns differ by nothing but what came before them."""
    turn = load_script(_BENCH / "calls" / "steady.toml").turns[0]
    spoken = Speaker(None).speak(turn)
    said = [(turn, spoken)] * _TURNS
    paused = [(replace(turn, pause_sec=pause_sec if place == _PAUSED_TURN else 0.0), spoken) for place in range(_TURNS)]
    return {
        "one after the other": CallPlan(turns=said),
        "interrupted": CallPlan(turns=said, barge_in_ms=_BARGE_IN_MS),
        "with a silence": CallPlan(turns=paused),
    }


async def _measure(chosen: argparse.Namespace) -> Samples:
    plans, until_sec = _plans(chosen.pause), time.monotonic() + chosen.seconds
    samples: Samples = {arm.name: {kind: [] for kind in plans} for arm in (_WARM, _PLAIN)}
    gc.collect()
    gc.freeze()  # the caller's own collector shall not be what is measured
    for number in range(chosen.calls):
        if time.monotonic() > until_sec:
            print(f"the time is up after {number} of {chosen.calls} rounds", file=sys.stderr)
            break
        for arm in (_WARM, _PLAIN) if number % 2 == 0 else (_PLAIN, _WARM):
            await _round(arm, chosen.rtt, plans, samples[arm.name])
    return samples


async def _round(arm: Arm, rtt_ms: int, plans: Mapping[str, CallPlan], samples: dict[str, list[CallResult]]) -> None:
    """A new server for every round: the first turn of its first call is the coldest there is."""
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(
            await EmulatorProcess.start(first_token_ms=_FIRST_TOKEN_MS, tls=True, options=[f"--rtt={rtt_ms}ms"])
        )
        trusting = replace(arm, ca_file=str(emulator.ca_file))
        caller: Caller = await stack.enter_async_context(running(trusting, emulator.url))
        for kind, plan in plans.items():
            result = await caller.call(plan)
            samples[kind].append(result)
            turns = " ".join("-" if turn.v2v_ms is None else f"{turn.v2v_ms:.0f}" for turn in result.turns)
            print(f"{arm.name}, {kind}: {turns or result.failure}", file=sys.stderr)
            await asyncio.sleep(_REST_SEC)


if __name__ == "__main__":
    sys.exit(main())
