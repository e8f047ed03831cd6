"""The least time a start can take on this machine, from a start that ran its steps one at a time."""

from collections.abc import Sequence
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

    `chain` waits for each other; `needed_sec` is the same without the order of imports, which is only there because
    they share the GIL. `cpu_sec` is CPU time by cores, `gil_sec` what holds the GIL; both include `before_sec`.
    """

    before_sec: float
    chain: tuple[str, ...]
    chain_sec: float
    needed_sec: float
    cpu_sec: float
    gil_sec: float

    @property
    def sec(self) -> float:
        """None of the three can be beaten."""
        return max(self.chain_sec, self.cpu_sec, self.gil_sec)

    @property
    def strict_sec(self) -> float:
        """The same without crediting the plan for the order of its imports."""
        return max(self.needed_sec, self.cpu_sec, self.gil_sec)


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
    chain = longest_chain(steps, took_sec)
    needed = longest_chain([_without_order(step) for step in steps], took_sec)
    holding = [name for name in took_sec if name.startswith(_IMPORT) or name in _HOLD_GIL]
    return Bound(
        before_sec=before_sec,
        chain=chain,
        chain_sec=before_sec + sum(took_sec[name] for name in chain),
        needed_sec=before_sec + sum(took_sec[name] for name in needed),
        cpu_sec=serial.cpu_sec / cores,
        gil_sec=before_sec + sum(took_sec[name] for name in holding),
    )


def _without_order(step: Step) -> Step:
    return replace(step, after=()) if step.name.startswith(_IMPORT) else step
