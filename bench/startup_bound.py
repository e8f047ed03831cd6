"""The least time a start can take on this machine, from a start that ran its steps one at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from startup_processes import Start
from warmline.agent.kit_parts import KitParts
from warmline.agent.start_plan import import_steps, kit_steps
from warmline.clock import SystemClock
from warmline.settings import Settings, load_scenario
from warmline.startup import Step
from warmline.startup.graph import Graph, longest_chain

__all__ = ["Bound", "bound_of", "steps_of_the_plan"]

_IMPORT = "import "
# Beside imports: building the client, with its TLS context, is Python code of this process.
_HOLD_GIL = ("model client",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Seconds from the start of the process. `before_sec` is interpreter and command, before the plan is opened.

    `chain` needs each other; that imports are made in an order is not counted there, it follows from the GIL. `gil_sec`
    is what holds the GIL, one after the other, and then the longest chain of what needs all of it. `cpu_sec` is CPU
    time by cores. All include `before_sec`.
    """

    before_sec: float
    chain: tuple[str, ...]
    chain_sec: float
    cpu_sec: float
    gil: tuple[str, ...]
    gil_sec: float

    @property
    def sec(self) -> float:
        """None of the three can be beaten."""
        return max(self.chain_sec, self.cpu_sec, self.gil_sec)


def steps_of_the_plan() -> tuple[Step, ...]:
    """Those of the embedded stack, each after what it waits for."""
    settings = Settings(llm_base_url=None)
    parts = KitParts(settings, load_scenario(), SystemClock())
    graph = Graph([*import_steps(settings, all_of_a_call=True), *kit_steps(parts, settings, exercise=True)])
    return tuple(graph[name] for name in graph.order)


def bound_of(serial: Start, steps: Sequence[Step], cores: int) -> Bound:
    """From one serial start: its steps' times are what each takes alone."""
    took_sec = serial.steps_sec
    before_sec = max(0.0, serial.ready_ms / 1000 - serial.wall_sec)
    chain = longest_chain([_without_order(step) for step in steps], took_sec)
    gil = max((_held(step, steps, took_sec) for step in steps), key=lambda names: _sum_sec(names, took_sec))
    return Bound(
        before_sec=before_sec,
        chain=chain,
        chain_sec=before_sec + _sum_sec(chain, took_sec),
        cpu_sec=serial.cpu_sec / cores,
        gil=gil,
        gil_sec=before_sec + _sum_sec(gil, took_sec),
    )


def _held(last: Step, steps: Sequence[Step], took_sec: Mapping[str, float]) -> tuple[str, ...]:
    """What holds the GIL and must have ended before `last`, then `last` and the longest chain that needs it."""
    by_name = {step.name: step for step in steps}
    before: set[str] = set()
    ahead = list(last.waits_for)
    while ahead:
        if (name := ahead.pop()) not in before:
            before.add(name)
            ahead.extend(by_name[name].waits_for)
    holding = [step.name for step in steps if step.name in before and _holds_gil(step.name)]
    return (*holding, *longest_chain(_from(last, steps), took_sec))


def _from(first: Step, steps: Sequence[Step]) -> list[Step]:
    """`first` and what waits for it, directly or not."""
    found = {first.name}
    behind = [replace(first, needs=(), after=())]
    for step in steps:  # each comes after what it waits for
        if found & set(step.waits_for):
            found.add(step.name)
            behind.append(step)
    return behind


def _holds_gil(name: str) -> bool:
    return name.startswith(_IMPORT) or name in _HOLD_GIL


def _sum_sec(names: Sequence[str], took_sec: Mapping[str, float]) -> float:
    return sum(took_sec[name] for name in names)


def _without_order(step: Step) -> Step:
    return replace(step, after=()) if step.name.startswith(_IMPORT) else step
