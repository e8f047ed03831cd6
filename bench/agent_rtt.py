"""How far a caller notices the way to the language model: an agent a round trip away from it.

    make bench-rtt                       # about 15 minutes
    python bench/agent_rtt.py --quick    # a smoke test: too few samples to conclude anything from

Two arms: the agent, and the same over a client with the SDK's own connections. Each call is the first of a new server:
eight times the same question, as the first turn, after an answer, after a barge-in that broke off the model's stream,
after at least a minute of silence. The model is an emulated one, 100 ms away, with TLS. One agent at a time starts or
converses; meanwhile others are silent. Writes bench/results/agent_rtt.{json,svg,md} (agent_rtt_quick.* with --quick).
Exits with 1 when a call failed.
"""

import argparse
import asyncio
import gc
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent_rtt_call import TurnTaking, plan_of
from agent_rtt_figures import Sample, figures_of
from agent_rtt_floor import Floor
from agent_rtt_report import About, write_results
from first_turn_arms import Arm
from first_turn_servers import run_to_end, running
from machine import this_machine
from warmline.emulators import EmulatorProcess

_BENCH = Path(__file__).parent
_AGENT = str(_BENCH / "agent_rtt_agent.py")
_SERVE = ("--idle-timeout", "3600", "--scenario", str(_BENCH / "agent_rtt_scenario.toml"))
_ARMS = tuple(
    Arm(name=name, command=(sys.executable, _AGENT, word, *_SERVE), paid="")
    for name, word in (("Warmline", "warm"), ("plain SDK client", "plain"))
)
_FIRST_TOKEN_MS, _TOKEN_INTERVAL_MS = 50.0, 10.0
# One more than the first sentence has: it is then known to be over, and is spoken.
_TOKENS_BEFORE_CUT = 5
# Agents that may be alive at a time: one converses, the others are silent.
_SERVERS = 5
# Longer than the SDK keeps an idle connection: a caller does not come right after a start.
_REST_SEC = 6.0


@dataclass(slots=True, kw_only=True)
class Bench:
    """What all calls share."""

    emulator: EmulatorProcess
    silence_sec: float
    floor: Floor = field(default_factory=Floor)
    servers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_SERVERS))
    samples: list[Sample] = field(default_factory=list)


def main() -> int:
    """Measure, write the results, print the page."""
    chosen = _options().parse_args()
    calls, silence_sec = (2, 8.0) if chosen.quick else (chosen.calls, chosen.silence)
    began_sec = time.monotonic()
    samples = run_to_end(_measure(chosen.rtt, calls, silence_sec))
    about = About(
        rtt_ms=chosen.rtt,
        first_token_ms=_FIRST_TOKEN_MS,
        silence_sec=silence_sec,
        took_min=round((time.monotonic() - began_sec) / 60, 1),
        machine=this_machine(),
    )
    figures = figures_of(samples, [arm.name for arm in _ARMS])
    print(write_results(chosen.output, "agent_rtt_quick" if chosen.quick else "agent_rtt", samples, figures, about))
    return 1 if figures.incomplete else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rtt", type=int, default=100, metavar="MS")
    parser.add_argument("--calls", type=int, default=10, metavar="N", help="of each arm")
    parser.add_argument("--silence", type=float, default=60.0, metavar="SEC")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=_BENCH / "results", metavar="FOLDER")
    return parser


async def _measure(rtt_ms: int, calls: int, silence_sec: float) -> list[Sample]:
    gc.collect()
    gc.freeze()  # the caller's own collector shall not be what is measured
    emulator = await EmulatorProcess.start(
        first_token_ms=_FIRST_TOKEN_MS,
        token_interval_ms=_TOKEN_INTERVAL_MS,
        tls=True,
        control=True,
        options=[f"--rtt={rtt_ms}ms"],
    )
    async with emulator, asyncio.TaskGroup() as tasks:
        bench = Bench(emulator=emulator, silence_sec=silence_sec)
        for number in range(calls):
            for arm in _ARMS if number % 2 == 0 else reversed(_ARMS):
                await bench.servers.acquire()
                tasks.create_task(_call_of_new_server(bench, arm, number))
    return bench.samples


async def _call_of_new_server(bench: Bench, arm: Arm, number: int) -> None:
    """The first turn of a server's first call is the coldest there is."""
    try:
        async with AsyncExitStack() as stack:
            trusting = replace(arm, ca_file=str(bench.emulator.ca_file))
            async with bench.floor.held(object()):
                caller = await stack.enter_async_context(running(trusting, bench.emulator.url))
            await asyncio.sleep(_REST_SEC)
            async with asyncio.TaskGroup() as arming:
                taking = TurnTaking(number, bench.silence_sec, bench.floor, lambda: _arm(bench, arming))
                async with bench.floor.held(taking):
                    call = await caller.call(plan_of(taking))
                    await stack.aclose()
    finally:
        bench.servers.release()
    sample = Sample(arm=arm.name, number=number, silence_sec=taking.silence_sec, call=call)
    bench.samples.append(sample)
    print(sample, file=sys.stderr)


def _arm(bench: Bench, tasks: asyncio.TaskGroup) -> None:
    """The next answer of the model stops after its first sentence, until the caller interrupts it."""
    tasks.create_task(bench.emulator.control.arm("stall", value=_TOKENS_BEFORE_CUT, times=1))


if __name__ == "__main__":
    sys.exit(main())
