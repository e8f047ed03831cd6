"""Everything a first call would wait for, done before it: the agent's warm-up plan, and the kit that comes of it."""

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from warmline.agent.kit_parts import KitParts
from warmline.agent.start_plan import WEB_SERVER, import_steps, kit_steps
from warmline.clock import Clock
from warmline.errors import WarmUpFailed
from warmline.events import Event, WarmUpStepFinished
from warmline.session import Emit
from warmline.startup import Plan, Policy, Step

if TYPE_CHECKING:
    from types import TracebackType

    from warmline.agent.kit import Kit
    from warmline.health import FloorCount, Gate
    from warmline.settings import Scenario, Settings

__all__ = ["WarmStart"]

_POOLS = ("recogniser", "voice")


class WarmStart:
    """Runs the plan, and has the kit. Used as `async with`, which waits for as much as the policy says.

    With `warm` all, the plan makes the kit and exercises it. Else the first call makes it: `imports` have then been
    loaded by the plan, or (`none`) nothing but the server.
    """

    def __init__(self, settings: "Settings", scenario: "Scenario", *, clock: Clock, emit: Emit) -> None:
        self._emit = emit
        self._parts = KitParts(settings, scenario, clock)
        self._settings = settings
        self._held = AsyncExitStack()
        self._opening = asyncio.Lock()
        self.changed: asyncio.Event = asyncio.Event()
        """Set at every event of the plan; whoever waits for something looks again, and clears it."""
        self.web_server_loaded: asyncio.Event = asyncio.Event()
        self.plan: Plan = Plan(
            self._start_steps(),
            policy=settings.startup_policy,
            deadline_sec=settings.startup_deadline_sec,
            emit=self._observe,
            clock=clock,
        )
        self._kit_plan: Plan | None = self.plan if settings.warm == "all" else None

    @property
    def floors(self) -> "dict[str, FloorCount]":
        """The spares that calls find ready, by pool."""
        if self._settings.warm != "all":
            return {}
        return {name: lambda name=name: self._parts.spares(name) for name in _POOLS}  # type: ignore[misc] # bound now

    @property
    def gates(self) -> "dict[str, Gate]":
        """What must be open, beside the plan's steps, for the server to be ready."""
        return {"model": self._parts.model_gate}

    @property
    def model_answers(self) -> bool:
        """Whether nothing speaks against the next request to the language model."""
        return bool(self._parts.model_gate())

    async def __aenter__(self) -> "WarmStart":
        await self._held.enter_async_context(self.plan)
        return self

    async def __aexit__(
        self, kind: "type[BaseException] | None", error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        await self._held.aclose()

    async def kit(self) -> "Kit":
        """The kit, made by the plan, or by whoever asks first; everybody else waits for the same one.

        Raises:
            WarmUpFailed: a part of it could not be made. The next call tries again.
        """
        if not self._parts.complete.is_set():
            await self._make()
        kit = self._parts.kit()
        assert kit is not None, "complete means that no part is missing"
        return kit

    async def _make(self) -> None:
        plan = await self._opened()
        plan.run_soon()  # what failed before is tried again; a run that is under way is joined
        ends = [asyncio.create_task(plan.finished()), asyncio.create_task(self._parts.complete.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)
        if not self._parts.complete.is_set():
            raise WarmUpFailed(_why_not(plan))

    async def _opened(self) -> Plan:
        async with self._opening:
            if self._kit_plan is None:
                steps = [
                    *import_steps(self._settings, all_of_a_call=True),
                    *kit_steps(self._parts, self._settings, exercise=False),
                ]
                plan = Plan(steps, policy=Policy.BACKGROUND, recover_sec=None, emit=self._emit)
                self._kit_plan = await self._held.enter_async_context(plan)
            return self._kit_plan

    def _start_steps(self) -> list[Step]:
        steps = import_steps(self._settings, all_of_a_call=self._settings.warm != "none")
        if self._settings.warm == "all":
            steps += kit_steps(self._parts, self._settings, exercise=True)
        return steps

    def _observe(self, event: Event) -> None:
        if isinstance(event, WarmUpStepFinished) and event.name == WEB_SERVER:
            self.web_server_loaded.set()
        self.changed.set()
        self._emit(event)


def _why_not(plan: Plan) -> str:
    report = plan.report()
    culprit = next(step for step in report.steps if step.error and not step.stands)
    return f"{culprit.name}: {culprit.error}"
