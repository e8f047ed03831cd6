"""Which step waits for which: checked once, before anything runs."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from warmline.errors import PlanError
from warmline.startup.step import Criticality, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from warmline.startup.step import Step

__all__ = ["Graph", "longest_chain"]

_RANK = {criticality: rank for rank, criticality in enumerate(Criticality)}


class Graph:
    """The steps of a plan by name, in an order in which each comes after what it waits for.

    Raises:
        PlanError: two steps have one name, or one waits for a step that is not in the plan, for itself by a circle, or,
            being the process's, for a session's.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        steps = tuple(steps)
        self._steps: dict[str, Step] = {step.name: step for step in steps}
        if len(self._steps) < len(steps):
            names = [step.name for step in steps]
            raise PlanError(f"two steps are called {next(name for name in names if names.count(name) > 1)!r}")
        for step in steps:
            self._check(step)
        self.order: tuple[str, ...] = self._sorted()
        self._rank = self._urgencies()

    def __getitem__(self, name: str) -> Step:
        return self._steps[name]

    def of(self, scope: Scope) -> tuple[Step, ...]:
        """The steps of one scope, each after what it waits for."""
        return tuple(self[name] for name in self.order if self[name].scope is scope)

    def urgency(self, name: str) -> tuple[int, float]:
        """The smallest goes first: what critical steps wait for, then what the longest expected chain waits for."""
        return self._rank[name]

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """These and all that they need, directly or not."""
        return _reached(names, lambda name: self[name].needs)

    def before(self, names: Iterable[str]) -> set[str]:
        """These and all that they wait for, directly or not."""
        return _reached(names, lambda name: self[name].waits_for)

    def _check(self, step: Step) -> None:
        for name in step.waits_for:
            if name not in self._steps:
                raise PlanError(f"step {step.name!r} waits for {name!r}, which is not in the plan")
            if step.scope is Scope.PROCESS and self[name].scope is Scope.SESSION:
                raise PlanError(f"step {step.name!r} of the process waits for {name!r}, which each session runs")

    def _sorted(self) -> tuple[str, ...]:
        try:
            return tuple(TopologicalSorter({name: step.waits_for for name, step in self._steps.items()}).static_order())
        except CycleError as error:
            raise PlanError(f"steps wait for each other: {' -> '.join(reversed(error.args[1]))}") from error

    def _urgencies(self) -> dict[str, tuple[int, float]]:
        ranks: dict[str, tuple[int, float]] = {}
        for name in reversed(self.order):
            behind = [ranks[each] for each in ranks if name in self[each].waits_for]
            rank = min([_RANK[self[name].criticality], *(rank for rank, _ in behind)])
            ranks[name] = (rank, -self[name].expected_sec + min((chain for _, chain in behind), default=0.0))
        return ranks


def longest_chain(order: Sequence[Step], took_sec: Mapping[str, float]) -> tuple[str, ...]:
    """Of all chains of steps that wait for each other, the one that takes longest; the earlier one if two do.

    The critical path of J. E. Kelley and M. R. Walker, "Critical-Path Planning and Scheduling" (1959): with cores
    enough, no order of starting makes the whole shorter. `order` has each step after what it waits for; steps without
    a time are not part of any chain.
    """
    best: dict[str, tuple[float, tuple[str, ...]]] = {}
    for step in order:
        if step.name in took_sec:
            before = max((best[name] for name in step.waits_for if name in best), key=_length, default=(0.0, ()))
            best[step.name] = (before[0] + took_sec[step.name], (*before[1], step.name))
    return max(best.values(), key=_length, default=(0.0, ()))[1]


def _reached(names: Iterable[str], then: Callable[[str], Iterable[str]]) -> set[str]:
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        if (name := ahead.pop()) not in found:
            found.add(name)
            ahead.extend(then(name))
    return found


def _length(chain: tuple[float, tuple[str, ...]]) -> float:
    return chain[0]
