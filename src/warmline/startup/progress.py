"""The synchronous core: how far each step is, which may start now, which never will; no wait, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from warmline.startup.proof import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from warmline.startup.graph import Graph
    from warmline.startup.step import Step

__all__ = ["Moves", "Progress", "Record", "StepState"]


class StepState(StrEnum):
    """Where a step is. `VERIFIED` and `DONE` are successes, what follows them are other ends."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    VERIFIED = "verified"
    DONE = "done, not verified"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"

    @property
    def is_success(self) -> bool:
        """It did what it was for."""
        return self in (StepState.VERIFIED, StepState.DONE)

    @property
    def is_end(self) -> bool:
        """Nothing more comes of it, unless it is run again."""
        return self not in (StepState.WAITING, StepState.RUNNING, StepState.RETRYING)


@dataclass(slots=True)
class Record:
    """What is known of one step. Times are the clock's; `took_sec` counts from the first attempt to the end."""

    step: Step
    state: StepState = StepState.WAITING
    stands: bool = False
    """Its last run that ended was a success: one that is under way takes nothing back."""
    ended_once: bool = False
    attempts: int = 0
    could_start_sec: float | None = None
    started_sec: float | None = None
    ended_sec: float | None = None
    evidence: str | None = None
    error: str | None = None
    failure: BaseException | None = None

    def begin(self) -> None:
        """Run it again from the beginning."""
        self.state, self.attempts = StepState.WAITING, 0
        self.could_start_sec = self.started_sec = self.ended_sec = None
        self.evidence = self.error = self.failure = None

    def end(self, state: StepState, now_sec: float) -> None:
        """It is over, one way or the other."""
        self.state, self.ended_sec, self.ended_once, self.stands = state, now_sec, True, state.is_success

    def took_sec(self, now_sec: float) -> float:
        """Seconds since its first attempt, until it ended or now."""
        if self.started_sec is None:
            return 0.0
        return (now_sec if self.ended_sec is None else self.ended_sec) - self.started_sec

    @property
    def waited_sec(self) -> float:
        """Seconds that it could have run in, had a core been free."""
        if self.started_sec is None or self.could_start_sec is None:
            return 0.0
        return self.started_sec - self.could_start_sec


@dataclass(frozen=True, slots=True)
class Moves:
    """What follows from what has just happened: steps to start now, and steps that turned out to be blocked."""

    start: list[Step] = field(default_factory=list)
    blocked: list[Record] = field(default_factory=list)


class Progress:
    """The records of the steps that one run may touch.

    Args:
        steps: in an order in which each comes after what it waits for.
        cores: how many steps that keep a core busy may run at a time.
        stands: whether a step outside of `steps` succeeded (a session's steps ask this of the process's).
        busy_cores: how many cores all runs together keep busy, this one included; by default this one alone.
    """

    def __init__(
        self,
        graph: Graph,
        steps: Iterable[Step],
        cores: int,
        stands: Callable[[str], bool] = lambda name: False,
        busy_cores: Callable[[], int] | None = None,
    ) -> None:
        self._graph = graph
        self._cores = cores
        self._stands_outside = stands
        self._all_busy_cores = busy_cores or self.busy_cores
        self.records: dict[str, Record] = {step.name: Record(step) for step in steps}
        self.run: tuple[str, ...] = ()
        self.began_sec: float = 0.0
        self.ended_sec: float | None = None
        self.begun: list[str] = []
        """Steps whose `run` may have made something that is to be closed, in the order of their first success."""
        self._successes: set[str] = set()

    def begin(self, names: Iterable[str], now_sec: float) -> None:
        """A run of these steps begins."""
        chosen = set(names)
        self.run = tuple(name for name in self.records if name in chosen)
        self.began_sec, self.ended_sec = now_sec, None
        for name in self.run:
            self.records[name].begin()

    def moves(self, now_sec: float) -> Moves:
        """What may start now, most urgent first, and what is blocked for good."""
        moves = Moves()
        for name in self.run:  # each comes after what it waits for: one pass is enough
            record = self.records[name]
            if record.state is StepState.WAITING and (culprit := self._missing_need(record.step)) is not None:
                record.error = f"needs {culprit}, which did not succeed"
                record.end(StepState.BLOCKED, now_sec)
                moves.blocked.append(record)
        startable = [self.records[name] for name in self.run if self._may_start(self.records[name])]
        for record in startable:
            record.could_start_sec = now_sec if record.could_start_sec is None else record.could_start_sec
        moves.start.extend(self._within_cores(startable))
        return moves

    def start(self, name: str, now_sec: float) -> int:
        """An attempt begins; returns its number, from 1."""
        record = self.records[name]
        record.state = StepState.RUNNING
        if name not in self.begun:
            self.begun.append(name)
        record.attempts += 1
        record.started_sec = now_sec if record.started_sec is None else record.started_sec
        return record.attempts

    def succeed(self, name: str, evidence: str | None, now_sec: float) -> Record:
        """It ended well; `evidence` None means that it proved nothing, and need not."""
        record = self.records[name]
        record.evidence, record.error, record.failure = evidence, None, None
        record.end(StepState.DONE if evidence is None else StepState.VERIFIED, now_sec)
        self.made(name)
        return record

    def fail(self, name: str, error: BaseException, now_sec: float, *, timed_out: bool = False) -> float | None:
        """An attempt failed. Returns the seconds until the next, before jitter; None when it was the last."""
        record = self.records[name]
        record.failure = error
        record.error = f"no end within {record.step.timeout_sec:g} s" if timed_out else reason_of(error)
        if record.attempts <= record.step.retries:
            record.state = StepState.RETRYING
            return float(record.step.retry_delay_sec * 2 ** (record.attempts - 1))
        record.end(StepState.TIMED_OUT if timed_out else StepState.FAILED, now_sec)
        return None

    def retry(self, name: str) -> None:
        """The time of the next attempt has come; it still needs a core, if it needs one."""
        self.records[name].state = StepState.WAITING

    def made(self, name: str) -> None:
        """Its `run` made something, be it too late to count."""
        if name not in self._successes:
            self._successes.add(name)
            self.begun.remove(name)
            self.begun.append(name)

    def end(self, now_sec: float) -> None:
        """The run is over; what has not ended by now was cancelled."""
        self.ended_sec = now_sec
        for name in self.run:
            if not self.records[name].state.is_end:
                self.records[name].end(StepState.CANCELLED, now_sec)

    def stands(self, name: str) -> bool:
        """Whether the step's last finished run was a success."""
        return self.records[name].stands if name in self.records else self._stands_outside(name)

    def ended_count(self) -> int:
        """How many steps of this run have ended."""
        return sum(self.records[name].state.is_end for name in self.run)

    def is_over(self) -> bool:
        """Whether all of them have."""
        return self.ended_count() == len(self.run)

    def busy_cores(self) -> int:
        """Cores that its steps keep busy."""
        return sum(record.step.cpu and record.state is StepState.RUNNING for record in self.records.values())

    def _missing_need(self, step: Step) -> str | None:
        return next((name for name in step.needs if self._has_ended(name) and not self.stands(name)), None)

    def _has_ended(self, name: str) -> bool:
        return name not in self.run or self.records[name].state.is_end

    def _may_start(self, record: Record) -> bool:
        return record.state is StepState.WAITING and all(self._has_ended(name) for name in record.step.waits_for)

    def _within_cores(self, startable: list[Record]) -> list[Step]:
        """In order of urgency; steps that need a core only while one is free."""
        busy = self._all_busy_cores()
        chosen: list[Step] = []
        for record in sorted(startable, key=lambda record: self._graph.urgency(record.step.name)):
            if record.step.cpu and busy >= self._cores:
                continue
            busy += record.step.cpu
            chosen.append(record.step)
        return chosen
