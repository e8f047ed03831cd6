"""One run of steps: each is started when the core says so, bounded, retried, and its end recorded."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

from warmline.events import WarmUpFinished, WarmUpStepFinished, WarmUpStepRetrying, WarmUpStepStarted
from warmline.startup.attempt import NoEnd, is_async
from warmline.startup.progress import StepState
from warmline.startup.proof import weigh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from warmline.clock import Clock
    from warmline.events import Event
    from warmline.startup.attempt import Attempts
    from warmline.startup.progress import Progress, Record
    from warmline.startup.step import Step

__all__ = ["Flight"]

LONGEST_DELAY_SEC = 30.0


class Flight:
    """Runs steps of `progress`, all tasks inside one TaskGroup. No failure of a step leaves it.

    `change` waits for the next event of any run, since cores are shared with others; `late` is told the name of a step
    that made something after it had been given up.
    """

    def __init__(
        self,
        progress: Progress,
        attempts: Attempts,
        clock: Clock,
        emit: Callable[[Event], None],
        *,
        change: Callable[[], Awaitable[object]],
        late: Callable[[str], None],
    ) -> None:
        self._progress = progress
        self._attempts = attempts
        self._clock = clock
        self._emit = emit
        self._change = change
        self._late = late

    async def run(self, names: Iterable[str]) -> None:
        """Until every one of them has ended."""
        self._progress.begin(names, self._clock.now())
        try:
            async with asyncio.TaskGroup() as group:
                self._launch(group)
                while not self._progress.is_over():
                    await self._change()
                    self._launch(group)
        finally:
            self._progress.end(self._clock.now())
            self._emit(self._finished())

    def _launch(self, group: asyncio.TaskGroup) -> None:
        moves = self._progress.moves(self._clock.now())
        for record in moves.blocked:
            self._emit(self._step_finished(record))
        # A thread takes the GIL from the loop at once: whatever the loop has to begin goes before it.
        for step in sorted(moves.start, key=lambda step: not is_async(step.run)):
            now_sec = self._clock.now()
            attempt = self._progress.start(step.name, now_sec)
            self._emit(WarmUpStepStarted(at_sec=now_sec, name=step.name, attempt=attempt))
            group.create_task(self._carry_out(step, group), name=f"warm-up step {step.name}")

    async def _carry_out(self, step: Step, group: asyncio.TaskGroup) -> None:
        """One attempt; then whatever may start because of its end."""
        late = functools.partial(self._late, step.name)
        try:
            evidence = weigh(
                await self._attempts.run(step.name, step.run, step.timeout_sec, late), must_prove=step.verified
            )
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            # Even what `except Exception` does not see: it is the step's, not ours.
            await self._failed(step, error, group)
        else:
            self._emit(self._step_finished(self._progress.succeed(step.name, evidence, self._clock.now())))
        self._launch(group)

    async def _failed(self, step: Step, error: BaseException, group: asyncio.TaskGroup) -> None:
        now_sec = self._clock.now()
        delay_sec = self._progress.fail(step.name, error, now_sec, timed_out=isinstance(error, NoEnd))
        record = self._progress.records[step.name]
        if delay_sec is None:
            self._emit(self._step_finished(record))
            return
        delay_sec = min(delay_sec, LONGEST_DELAY_SEC) * self._clock.jitter(0.8, 1.2)
        reason = record.error or ""
        self._emit(
            WarmUpStepRetrying(
                at_sec=now_sec, name=step.name, attempt=record.attempts, error=reason, delay_sec=delay_sec
            )
        )
        self._launch(group)  # its core is free until then
        await asyncio.sleep(delay_sec)
        self._progress.retry(step.name)

    def _step_finished(self, record: Record) -> WarmUpStepFinished:
        now_sec = self._clock.now()
        return WarmUpStepFinished(
            at_sec=now_sec,
            name=record.step.name,
            took_ms=record.took_sec(now_sec) * 1000,
            verified=record.state is StepState.VERIFIED,
            error=record.error,
            state=record.state.value,
            evidence=record.evidence,
            ended=self._progress.ended_count(),
            total=len(self._progress.run),
            criticality=record.step.criticality.value,
        )

    def _finished(self) -> WarmUpFinished:
        records = [self._progress.records[name] for name in self._progress.run]
        now_sec = self._clock.now()
        return WarmUpFinished(
            at_sec=now_sec,
            took_ms=(now_sec - self._progress.began_sec) * 1000,
            verified=sum(record.state is StepState.VERIFIED for record in records),
            total=len(records),
            failed=tuple(record.step.name for record in records if not record.state.is_success),
        )
