"""What the benchmark measures, round after round, the arms in turn."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from first_turn_arms import COLD, IMPORTS, PLAIN, WARM, Arm
from first_turn_servers import call_of_new_server, running
from warmline.measure import Caller, CallPlan, CallResult, CallScript, Speaker

__all__ = ["Plans", "Rounds", "Samples", "measure", "plans_for"]

_REST_SEC = 0.3
_SEQUENTIAL_CALLS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """How often everything is done. `until_sec`: no round begins after this moment of the monotonic clock."""

    greetings: int
    calls: int
    sequences: int
    parallel: int
    until_sec: float


@dataclass(frozen=True, slots=True)
class Plans:
    """What the caller says."""

    greeting: CallPlan
    steady: CallPlan
    one_turn: CallPlan
    parallel: Sequence[CallPlan]


@dataclass(slots=True)
class Samples:
    """Calls by arm. `first` and `tenth` are calls to servers that had taken no call, or nine, before."""

    greetings: dict[str, list[CallResult]] = field(default_factory=dict)
    calls: dict[str, list[CallResult]] = field(default_factory=dict)
    first: list[CallResult] = field(default_factory=list)
    tenth: list[CallResult] = field(default_factory=list)
    parallel: list[CallResult] = field(default_factory=list)


def plans_for(steady: CallScript, others: Sequence[CallScript]) -> Plans:
    """Every sentence is synthesized here, before anything is measured."""
    speaker = Speaker(None)
    said = [(turn, speaker.speak(turn)) for turn in steady.turns]
    parallel = [CallPlan(turns=[(turn, speaker.speak(turn)) for turn in script.turns]) for script in others]
    return Plans(
        CallPlan(connect_timeout_sec=60, greeting_timeout_sec=60),
        CallPlan(turns=said),
        CallPlan(turns=said[:1]),
        parallel,
    )


async def measure(
    rounds: Rounds, plans: Plans, running_arms: Sequence[Arm], llm_url: str, say: Callable[[str], None]
) -> Samples:
    """Everything, in order; each round takes every arm once, and begins with another one."""
    samples = Samples()
    # The caller's own garbage collector shall not be what is measured.
    gc.collect()
    gc.freeze()
    await _sequences(rounds, plans, llm_url, samples, say)
    async with AsyncExitStack() as stack:
        callers = {arm.name: await stack.enter_async_context(running(arm, llm_url)) for arm in running_arms}
        # The yardstick has had a caller before, so that nothing lazy is left in it; Warmline has to do without.
        await callers[PLAIN.name].call(plans.one_turn)
        await _greetings(rounds, plans, callers, llm_url, samples, say)
        await _calls(rounds, plans, callers, samples, say)
        await _parallel(rounds, plans, callers[WARM.name], samples, say)
    return samples


async def _greetings(
    rounds: Rounds,
    plans: Plans,
    callers: Mapping[str, Caller],
    llm_url: str,
    samples: Samples,
    say: Callable[[str], None],
) -> None:
    async def new_process() -> CallResult:
        return await call_of_new_server(COLD, llm_url, plans.greeting)

    async def new_server() -> CallResult:
        async with running(IMPORTS, llm_url) as caller:
            return await caller.call(plans.greeting)

    def to(caller: Caller) -> Callable[[], Awaitable[CallResult]]:
        return lambda: caller.call(plans.greeting)

    ways: dict[str, Callable[[], Awaitable[CallResult]]] = {COLD.name: new_process, IMPORTS.name: new_server}
    ways |= {name: to(caller) for name, caller in callers.items()}
    await _in_turn(ways, rounds.greetings, rounds.until_sec, samples.greetings, "greetings", say)


async def _calls(
    rounds: Rounds, plans: Plans, callers: Mapping[str, Caller], samples: Samples, say: Callable[[str], None]
) -> None:
    def to(caller: Caller) -> Callable[[], Awaitable[CallResult]]:
        return lambda: caller.call(plans.steady)

    ways = {name: to(caller) for name, caller in callers.items()}
    await _in_turn(ways, rounds.calls, rounds.until_sec, samples.calls, "calls", say)


async def _in_turn(
    ways: Mapping[str, Callable[[], Awaitable[CallResult]]],
    count: int,
    until_sec: float,
    results: dict[str, list[CallResult]],
    what: str,
    say: Callable[[str], None],
) -> None:
    names = list(ways)
    for number in range(count):
        if time.monotonic() > until_sec:
            say(f"{what}: the time is up after {number} of {count} rounds")
            return
        for name in names[number % len(names) :] + names[: number % len(names)]:
            results.setdefault(name, []).append(await ways[name]())
            await asyncio.sleep(_REST_SEC)
        say(
            f"{what}: round {number + 1} of {count}: "
            + ", ".join(f"{name} {_glance(results[name][-1])}" for name in names)
        )


async def _sequences(rounds: Rounds, plans: Plans, llm_url: str, samples: Samples, say: Callable[[str], None]) -> None:
    for number in range(rounds.sequences):
        if time.monotonic() > rounds.until_sec:
            say(f"first and tenth call: the time is up after {number} of {rounds.sequences} servers")
            return
        async with running(WARM, llm_url) as caller:
            samples.first.append(await caller.call(plans.one_turn))
            for _ in range(_SEQUENTIAL_CALLS - 2):
                await caller.call(plans.greeting)
            await asyncio.sleep(_REST_SEC)
            samples.tenth.append(await caller.call(plans.one_turn))
        say(f"server {number + 1}: first call {_glance(samples.first[-1])}, tenth {_glance(samples.tenth[-1])}")


async def _parallel(rounds: Rounds, plans: Plans, caller: Caller, samples: Samples, say: Callable[[str], None]) -> None:
    for number in range(rounds.parallel):
        if time.monotonic() > rounds.until_sec:
            say(f"parallel calls: the time is up after {number} of {rounds.parallel} rounds")
            return
        results = await asyncio.gather(*(caller.call(plan) for plan in plans.parallel))
        samples.parallel.extend(results)
        say(f"parallel calls: round {number + 1}: " + ", ".join(_glance(result) for result in results))


def _glance(result: CallResult) -> str:
    if not result.completed:
        return f"FAILED ({result.failure or '; '.join(result.faults) or 'a turn'})"
    turns = " ".join(f"{turn.v2v_ms:.0f}" for turn in result.turns if turn.v2v_ms is not None)
    return f"{result.greeting_ms:.0f}" + (f" [{turns}]" if turns else "") + " ms"
