"""What an open plan has running, and the tasks it owns."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from warmline.errors import WarmUpFailed
from warmline.startup.attempt import Attempts
from warmline.startup.flight import Flight
from warmline.startup.gating import Gating, Policy, what_gates
from warmline.startup.progress import Progress, StepState
from warmline.startup.report import Report, report_of
from warmline.startup.step import Scope, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from warmline.clock import Clock
    from warmline.events import Event
    from warmline.startup.graph import Graph

__all__ = ["OpenPlan"]

_log = logging.getLogger("warmline.startup")
CLOSE_TIMEOUT_SEC = 5.0
LONGEST_RECOVERY_SEC = 60.0


class OpenPlan:
    """One opening of a plan: at most one run of the process's steps at a time, and its recovery."""

    def __init__(
        self,
        graph: Graph,
        cores: int,
        clock: Clock,
        emit: Callable[[Event], None],
        *,
        policy: Policy,
        deadline_sec: float,
    ) -> None:
        self._graph = graph
        self._cores = cores
        self._clock = clock
        self._observer = emit
        self._policy = policy
        self._deadline_sec = deadline_sec
        self._attempts = Attempts()
        self._progress = self._progress_of(Scope.PROCESS)
        self._session_runs: set[Progress] = set()
        self._changed = asyncio.Event()  # set once, at the next event of any run, and replaced by another
        self._closed = False
        self._late: set[asyncio.Task[None]] = set()
        self._flight: asyncio.Task[None] | None = None
        self._recovery: asyncio.Task[None] | None = None
        self._opened_sec = clock.now()

    async def start(self, recover_sec: float | None) -> None:
        """Begin the first run, and wait for as much of it as the policy says.

        Raises:
            WarmUpFailed: a critical step failed, and the policy is `block`.
        """
        self._begin(self._progress.records)
        if self._policy is Policy.BLOCK:
            await self._block()
        if recover_sec is not None:
            self._recovery = asyncio.create_task(self._recover(recover_sec), name="warm-up recovery")

    async def run(self, *, failed_only: bool, paid: bool) -> Report:
        """Join the run under way, or wait for another; the report of the last if there is nothing to run."""
        self.run_soon(failed_only=failed_only, paid=paid)
        return await self.finished()

    def run_soon(self, *, failed_only: bool, paid: bool) -> bool:
        """Begin another run, unless one is under way; whether there was anything to begin."""
        if not self._idle or not (names := self._choice(failed_only=failed_only, paid=paid)):
            return False
        self._begin(names)
        return True

    async def run_session(self) -> Report:
        """A run of the session's steps, once what they wait for has ended; many may be under way."""
        progress = self._progress_of(Scope.SESSION)
        before = self._graph.before(progress.records) & self._progress.records.keys()
        while not all(self._progress.records[name].state.is_end for name in before):
            await self._changed.wait()
        self._session_runs.add(progress)
        try:
            await self._flight_of(progress).run(progress.records)
        finally:
            self._session_runs.discard(progress)
        return report_of(progress, self._clock.now(), self._attempts.abandoned)

    async def finished(self) -> Report:
        """Wait for the run under way."""
        if self._flight is not None:
            await asyncio.wait({self._flight})
        return self.report()

    def gating(self) -> Gating:
        """What keeps the process from being ready."""
        return what_gates(self._progress.records.values(), self._policy, overdue=self._left_sec() <= 0)

    def report(self) -> Report:
        """Of the run under way, or of the last."""
        return report_of(self._progress, self._clock.now(), self._attempts.abandoned)

    async def close(self) -> None:
        """End what runs, then give back what was made, latest first. Every wait for one of them is bounded."""
        self._closed = True
        tasks = {task for task in (self._recovery, self._flight) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        closing = Attempts()  # of its own: what hangs from before keeps nothing from being closed
        for name in reversed(self._progress.begun):
            await self._give_back(self._graph[name], closing)
        if left := await self._attempts.finish() + await closing.finish():
            _log.warning("%d calls of the warm-up would not end", left)

    @property
    def _idle(self) -> bool:
        return self._flight is None or self._flight.done()

    def _begin(self, names: Iterable[str]) -> None:
        self._flight = asyncio.create_task(self._flight_of(self._progress).run(tuple(names)), name="warm-up")

    def _flight_of(self, progress: Progress) -> Flight:
        return Flight(
            progress, self._attempts, self._clock, self._emit, change=lambda: self._changed.wait(), late=self._came_late
        )

    def _progress_of(self, scope: Scope) -> Progress:
        stands = (lambda name: False) if scope is Scope.PROCESS else self._progress.stands
        return Progress(self._graph, self._graph.of(scope), self._cores, stands, self._busy_cores)

    def _busy_cores(self) -> int:
        return sum(progress.busy_cores() for progress in (self._progress, *self._session_runs))

    def _emit(self, event: Event) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        self._observer(event)

    def _left_sec(self) -> float:
        return self._opened_sec + self._deadline_sec - self._clock.now()

    def _choice(self, *, failed_only: bool, paid: bool) -> list[str]:
        records = self._progress.records.values()
        return [r.step.name for r in records if not (failed_only and r.stands) and (paid or not r.step.paid)]

    async def _block(self) -> None:
        while True:
            gating = self.gating()
            for name in gating.critical:
                self._raise_if_ended(name)
            if not gating.waiting and not gating.critical:
                return
            left_sec = self._left_sec()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_sec if left_sec > 0 else None):
                    await self._changed.wait()

    def _raise_if_ended(self, name: str) -> None:
        record = self._progress.records[name]
        if record.ended_once:
            raise WarmUpFailed(f"critical step {name!r}: {record.error}") from record.failure

    async def _recover(self, pause_sec: float) -> None:
        """Critical steps that a run leaves without success are tried until they succeed, however late it is.

        A provider that comes back finds somebody who waits for it.
        """
        while True:
            await self.finished()
            if self.gating().critical:
                await self._revive(pause_sec)
            else:
                await self._changed.wait()  # somebody runs steps again, which may fail this time

    async def _revive(self, pause_sec: float) -> None:
        while self.gating().critical:
            await asyncio.sleep(pause_sec * self._clock.jitter(0.8, 1.2))
            pause_sec = min(2 * pause_sec, LONGEST_RECOVERY_SEC)
            if self._idle and self.gating().critical:
                self._begin(self._to_revive())
            await self.finished()

    def _to_revive(self) -> set[str]:
        """Critical steps that do not stand, what they need and does not stand, and what was blocked."""
        records = self._progress.records.values()
        needed = self._graph.ancestors(self.gating().critical)
        return {
            r.step.name for r in records if r.state is StepState.BLOCKED or (r.step.name in needed and not r.stands)
        }

    async def _give_back(self, step: Step, closing: Attempts) -> None:
        if step.close is None:
            return
        try:
            await closing.run(f"close {step.name}", step.close, CLOSE_TIMEOUT_SEC, _nothing)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            # Where nothing was made there may be nothing to close.
            level = logging.WARNING if self._progress.stands(step.name) else logging.DEBUG
            _log.log(level, "closing what step %s made failed: %s", step.name, type(error).__name__)

    def _came_late(self, name: str) -> None:
        """A call that had been given up made something after all."""
        if name not in self._progress.records:
            return  # a session's, which has nothing to close
        self._progress.made(name)
        if self._closed:
            giving_back = asyncio.create_task(self._give_back(self._graph[name], Attempts()), name=f"close {name}")
            self._late.add(giving_back)
            giving_back.add_done_callback(self._late.discard)


def _nothing() -> None:
    return None
