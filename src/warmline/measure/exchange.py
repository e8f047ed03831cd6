"""Many calls: how many at a time, and how often one begins."""

import asyncio
from collections.abc import Callable, Sequence

from warmline.measure.caller import Caller
from warmline.measure.plan import CallPlan
from warmline.measure.results import CallResult

__all__ = ["place_calls"]


async def place_calls(
    caller: Caller,
    plans: Sequence[CallPlan],
    *,
    parallel: int = 1,
    calls_per_sec: float | None = None,
    on_result: Callable[[int, CallResult], None] = lambda number, result: None,
) -> list[CallResult]:
    """Place one call by each plan, at most `parallel` at a time, and no more often than `calls_per_sec`.

    `on_result` is told the number (from 0) and the result of each call as it ends. Results come in the plans' order.
    """
    lines = asyncio.Semaphore(parallel)
    results: dict[int, CallResult] = {}

    async def place(number: int, plan: CallPlan) -> None:
        try:
            results[number] = await caller.call(plan)
        finally:
            lines.release()
        on_result(number, results[number])

    async with asyncio.TaskGroup() as calls:
        for number, plan in enumerate(plans):
            if number and calls_per_sec is not None:
                await asyncio.sleep(1 / calls_per_sec)
            await lines.acquire()
            calls.create_task(place(number, plan))
    return [results[number] for number in range(len(plans))]
