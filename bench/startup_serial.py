"""`warmline serve` with the same plan, one step after the other: what `startup.py` compares the plan with.

python bench/startup_serial.py serve --port 7860
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from warmline.agent import warm_start
from warmline.cli import main
from warmline.startup import Plan, Step
from warmline.startup.graph import Graph


class SerialPlan(Plan):
    """Each step waits for the end of the one before it, in an order that the plan allows."""

    def __init__(self, steps: Iterable[Step], **how: Any) -> None:
        graph = Graph(steps)
        chain = [graph[graph.order[0]], *(_after(graph[name], before) for before, name in pairwise(graph.order))]
        super().__init__(chain, **how)


def _after(step: Step, before: str) -> Step:
    return replace(step, after=(*step.after, before))


if __name__ == "__main__":
    vars(warm_start)["Plan"] = SerialPlan  # nothing else of the server differs
    sys.exit(main())
