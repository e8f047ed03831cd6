"""How long a warm, or not so warm, connection to a language model lets a caller wait, in 18 states, side by side.

    make bench-llm                            # about 35 minutes
    python bench/llm_connection.py --quick    # a smoke test: too few samples to conclude anything from
    python bench/llm_connection.py --arm warmline --rtt 220 --states "NAT drop" --rounds 5    # a part

The real openai SDK over TLS 1.3; a name server 20 ms away; an emulated model that takes 50 ms to its first token. With
root the network is one of TUN devices, else a proxy, over which lost flows and slow start cannot be measured.
The same with aiohttp in the SDK's place.
Writes bench/results/llm_connection.{json,svg,md} (llm_connection_quick.* with --quick, llm_connection_part.* for a
part). Exits with 1 when a caller of Warmline's got an error.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llm_connection_figures import Results, figures_of
from llm_connection_network import Network, Place, network
from llm_connection_report import write_results
from llm_connection_states import STATES, Found, Sample

_BENCH = Path(__file__).parent
_SOURCES = _BENCH.parent / "src"
_LIVEKIT_PYTHON = _BENCH.parent / ".venv-llm" / "bin" / "python"
_DNS_MS = 20.0
_ARMS = ("fresh", "plain", "livekit", "warmline", "aiohttp", "aiohttp-warmline")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rtts_ms: Sequence[int]
    samples: int
    long_idle_sec: float
    states: Sequence[str] = STATES


@dataclass(frozen=True, slots=True)
class ArmProcess:
    """An arm, and the Python that it runs in."""

    name: str
    python: str


def main() -> int:
    """Measure, write, and print where."""
    options = _options()
    plan = _plan(options)
    began_sec = time.monotonic()
    results = asyncio.run(_measure(plan, _arms(options)))
    figures = figures_of(results)
    name = "llm_connection" + ("_quick" if options.quick else "_part" if _is_part(options) else "")
    write_results(options.output, name, results, figures, took_min=(time.monotonic() - began_sec) / 60)
    print((options.output / f"{name}.md").read_text())
    return 1 if figures.errors_of_warmline else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few samples at one distance: a smoke test")
    parser.add_argument("--output", type=Path, default=_BENCH / "results", help="folder of the results")
    part = parser.add_argument_group("a part of it")
    part.add_argument("--arm", action="append", choices=_ARMS, help="only these; may be repeated")
    part.add_argument("--rtt", action="append", type=int, choices=(100, 220), help="only at this distance, in ms")
    part.add_argument("--rounds", type=int, metavar="N", help="samples of each state")
    part.add_argument("--states", action="append", metavar="START", help="only states that begin like this")
    parser.add_argument(
        "--livekit-python", type=Path, default=_LIVEKIT_PYTHON,
        help="a Python with requirements-llm.txt (default: %(default)s)",
    )  # fmt: skip
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    whole = Plan((100,), 2, 8.0) if options.quick else Plan((100, 220), 10, 60.0)
    begin = tuple(options.states or ("",))
    states = [state for state in STATES if state.startswith(begin)]
    return replace(whole, rtts_ms=options.rtt or whole.rtts_ms, samples=options.rounds or whole.samples, states=states)


def _is_part(options: argparse.Namespace) -> bool:
    return any((options.arm, options.rtt, options.rounds, options.states))


def _arms(options: argparse.Namespace) -> list[ArmProcess]:
    found = []
    for name in options.arm or _ARMS:
        python = options.livekit_python if name == "livekit" else Path(sys.executable)
        if not python.exists():
            _say(f"{name} is left out: no {python}; make bench-llm makes it")
            continue
        found.append(ArmProcess(name, str(python)))
    return found


async def _measure(plan: Plan, arms: Sequence[ArmProcess]) -> Results:
    results = Results(plan.states, samples={rtt_ms: {} for rtt_ms in plan.rtts_ms}, versions={})
    async with network(plan.rtts_ms) as wan:
        results.network = "TUN devices" if wan.tun else f"proxy ({wan.why_no_tun})"
        for rtt_ms in plan.rtts_ms:
            for arm in arms:
                _say(f"{rtt_ms} ms, {arm.name}")
                async with wan.place(rtt_ms) as place:
                    answer = await _run(arm, plan, wan, place)
                results.versions[arm.name] = answer["versions"]
                results.samples[rtt_ms][arm.name] = _found(answer["found"])
    return results


def _found(told: dict[str, list[dict[str, Any]]]) -> Found:
    return {state: [Sample(**sample) for sample in samples] for state, samples in told.items()}


async def _run(arm: ArmProcess, plan: Plan, wan: Network, place: Place) -> dict[str, Any]:
    """One arm's process, and what it asks for on the way."""
    process = await asyncio.create_subprocess_exec(
        *wan.client_command([arm.python, str(_BENCH / "llm_connection_client.py")]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=_environment(place),
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without pipes")
    try:
        process.stdin.write(json.dumps(_told(arm, plan, wan, place)).encode() + b"\n")
        while line := await process.stdout.readline():
            said: dict[str, Any] = json.loads(line)
            if "found" in said:
                return said
            await wan.do(said["do"], place)
            process.stdin.write(b"\n")
        raise SystemExit(f"{arm.name} ended with status {await process.wait()} and no result")
    finally:
        if process.returncode is None:
            process.stdin.close()
            process.terminate()
        await process.wait()


def _told(arm: ArmProcess, plan: Plan, wan: Network, place: Place) -> dict[str, Any]:
    return {
        "arm": arm.name,
        "url": place.url,
        "controlled_urls": place.controlled_urls,
        "addresses": place.addresses,
        "dns_ms": _DNS_MS,
        "rtt_ms": place.rtt_ms,
        "states": list(plan.states),
        "samples": plan.samples,
        "long_idle_sec": plan.long_idle_sec,
        "can_drop": wan.tun is not None,
    }


def _environment(place: Place) -> dict[str, str]:
    """Every library takes the authority from here. No proxy of the environment is to come between."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | {"SSL_CERT_FILE": str(place.emulator.ca_file), "PYTHONPATH": str(_SOURCES)}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
