"""Steps that do what a test says, and a clock whose jitter is the middle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from warmline.startup import Plan, Step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class EvenClock:
    """The running loop's time; no jitter, so that pauses can be added up by hand."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def jitter(self, low: float, high: float) -> float:
        return (low + high) / 2


def takes(seconds: float, result: Any = True) -> Callable[[], Awaitable[Any]]:
    """An async function that ends after so long; raises `result` if it is an exception."""

    async def run() -> Any:
        await asyncio.sleep(seconds)
        if isinstance(result, BaseException):
            raise result
        return result

    return run


def in_turn(*runs: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    """The first call is the first of these, and so on; the last repeats."""
    left = list(runs)

    async def run() -> Any:
        return await (left.pop(0) if len(left) > 1 else left[0])()

    return run


async def hangs() -> None:
    """Until it is cancelled."""
    await asyncio.get_running_loop().create_future()


def step(name: str, run: Callable[[], Any] | float = 1.0, *needs: str, **attributes: Any) -> Step:
    """A step that needs these; a number is how long it takes."""
    return Step(name=name, run=takes(run) if isinstance(run, int | float) else run, needs=needs, **attributes)


def plan(*steps: Step, **attributes: Any) -> Plan:
    """A plan on virtual time, with cores enough unless a test says otherwise."""
    return Plan(steps, clock=EvenClock(), **{"cores": 8, **attributes})
