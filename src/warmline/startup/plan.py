"""The plan: what is warmed before the first call, when, and what waits for it."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from warmline.clock import SystemClock
from warmline.errors import PlanError
from warmline.startup.gating import Policy
from warmline.startup.graph import Graph
from warmline.startup.lines import line_level, progress_line
from warmline.startup.opened import OpenPlan
from warmline.startup.step import Step, member
from warmline.startup.table import plan_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from types import TracebackType

    from warmline.clock import Clock
    from warmline.events import Event
    from warmline.startup.gating import Gating
    from warmline.startup.report import Report

__all__ = ["Plan"]

_log = logging.getLogger("warmline.startup")


class Plan:
    """Steps, and how they are run. `async with plan:` runs them once, and gives back in the end what they made.

    Inside, `run` waits for the end of the run under way, or starts another (single-flight). A plan may be opened again
    once it is closed.

    Args:
        steps: the steps; more can be added until the plan is opened.
        policy: what waits for them (see `Policy`).
        deadline_sec: from opening; what then has not ended stops gating, critical steps excepted. It goes on running.
        cores: steps that keep a core busy and may run at a time; by default the cores this process may use.
        recover_sec: critical steps that failed are run again after this pause, doubling up to a minute, with jitter,
            until they succeed; None leaves that to whoever calls `run`. The policy `block` raises at the start instead.
        emit: is given every event (`warmline.events.WarmUp...`). Lines are logged to `warmline.startup` in any case:
            the failure of a critical step as an error, of a wanted one as a warning, all else as information.
        clock: time and jitter; by default the loop's own (virtual time), else the machine's.

    Raises:
        PlanError: there is no such policy.
    """

    def __init__(
        self,
        steps: Iterable[Step] = (),
        *,
        policy: Policy | str = Policy.GATE,
        deadline_sec: float = 60.0,
        cores: int | None = None,
        recover_sec: float | None = 5.0,
        emit: Callable[[Event], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.policy: Policy = member(Policy, policy, "policy")
        self.deadline_sec: float = deadline_sec
        self.cores: int = cores or _own_cores()
        self._steps: list[Step] = list(steps)
        self._recover_sec = recover_sec
        self._observer = emit
        self._given_clock = clock
        self._opened: OpenPlan | None = None

    def add(self, step: Step) -> Step:
        """One more step.

        Raises:
            PlanError: the plan is open.
        """
        if self._opened is not None:
            raise PlanError(f"step {step.name!r} comes too late: the plan is open")
        self._steps.append(step)
        return step

    def step(self, name: str | None = None, **attributes: Any) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
        """Make the function below a step, called as the function is unless `name` is given.

        `attributes` are those of `Step`; `needs` and `after` may be lists, `criticality` a string.
        """

        as_of_step: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in attributes.items()
        }

        def add(run: Callable[[], Any]) -> Callable[[], Any]:
            self.add(Step(name=name or str(getattr(run, "__name__", "")), run=run, **as_of_step))
            return run

        return add

    def explain(self) -> str:
        """The plan as a table; nothing is run.

        Raises:
            PlanError: the steps contradict each other.
        """
        graph = Graph(self._steps)
        head = f"policy {self.policy.value}, deadline {self.deadline_sec:g} s, {self.cores} cores\n"
        return head + plan_table(graph[name] for name in graph.order)

    async def __aenter__(self) -> Self:
        if self._opened is not None:
            raise PlanError("the plan is open already")
        clock = self._given_clock or getattr(asyncio.get_running_loop(), "clock", None) or SystemClock()
        self._opened = OpenPlan(
            Graph(self._steps), self.cores, clock, self._emit, policy=self.policy, deadline_sec=self.deadline_sec
        )
        try:
            await self._opened.start(self._recover_sec)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """The lifespan of a FastAPI or Starlette application: `FastAPI(lifespan=plan.lifespan)`.

        The plan is `app.state.warm_up` from then on.
        """
        state = getattr(app, "state", None)
        if state is not None:
            state.warm_up = self
        async with self:
            yield

    async def run(self, *, failed_only: bool = False, paid: bool = True) -> Report:
        """Wait for the run under way; without one, run all steps or those that failed. Cancelled, it stops nothing.

        If none failed, nothing is run, and the report is that of the last run.

        Args:
            failed_only: only steps that do not stand, and those that were blocked by them.
            paid: False leaves out the steps that cost money.
        """
        return await self._open.run(failed_only=failed_only, paid=paid)

    def run_soon(self, *, failed_only: bool = True, paid: bool = False) -> bool:
        """The same in the background, at once; whether there was anything to start."""
        return self._open.run_soon(failed_only=failed_only, paid=paid)

    async def run_session(self) -> Report:
        """Run the steps of a session, for one session, once those of the process that they wait for have ended."""
        return await self._open.run_session()

    async def finished(self) -> Report:
        """Wait until no run is under way."""
        return await self._open.finished()

    def gating(self) -> Gating:
        """What keeps this process from being ready, now."""
        return self._open.gating()

    def report(self) -> Report:
        """Of the run under way, or of the last one."""
        return self._open.report()

    @property
    def _open(self) -> OpenPlan:
        if self._opened is None:
            raise PlanError("the plan is not open: use `async with plan`, or its lifespan")
        return self._opened

    async def _close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    def _emit(self, event: Event) -> None:
        if line := progress_line(event):
            _log.log(line_level(event), "%s", line)
        if self._observer is not None:
            try:
                self._observer(event)
            except Exception:
                _log.exception("whoever observes the warm-up failed")


def _own_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
