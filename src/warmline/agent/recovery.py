"""What failed in the start because the language model did is tried again when the model is back."""

import asyncio
from collections.abc import Callable

from warmline.clock import Clock
from warmline.startup import Plan

__all__ = ["rerun_when_back"]

_LOOK_SEC = 0.25
_PAUSE_SEC = 10.0
_LONGEST_PAUSE_SEC = 600.0


async def rerun_when_back(plan: Plan, is_open: Callable[[], bool], clock: Clock) -> None:
    """Run the steps that failed, paid ones included, once each time that the gate opens; until every step stands.

    A gate may open on trial, and the run close it again: each run makes the pause before the next twice as long.
    """
    has_closed, pause_sec, not_before_sec = False, _PAUSE_SEC, clock.now()
    while not _is_whole(plan):
        await asyncio.sleep(_LOOK_SEC)
        has_closed = has_closed or not is_open()
        if has_closed and is_open() and plan.gating().over and clock.now() >= not_before_sec:
            has_closed = False
            await plan.finished()  # else a run that had begun before the gate opened would be taken for the next
            await plan.run(failed_only=True)
            not_before_sec = clock.now() + pause_sec * clock.jitter(1.0, 1.2)
            pause_sec = min(2 * pause_sec, _LONGEST_PAUSE_SEC)


def _is_whole(plan: Plan) -> bool:
    gating = plan.gating()
    return gating.over and not gating.critical and not gating.degraded
