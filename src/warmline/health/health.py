"""Gathers the facts for a probe: from a warm-up, from floors and gates that are plugged in, and from the drain."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from warmline.clock import SystemClock
from warmline.errors import PlanError
from warmline.health.readiness import Facts, Readiness, Verdict

if TYPE_CHECKING:
    from warmline.clock import Clock
    from warmline.health.drain import Drain
    from warmline.startup import Gating, Report

__all__ = ["FloorCount", "Gate", "Gated", "Health", "WarmUp"]

Gated = object
"""What a gate says: true while it is open. When closed it may have a `why_not`: one line, fit for everybody's eyes."""
Gate = Callable[[], Gated]
"""Called at every probe, on the loop: it must be quick, and no coroutine. One that fails in any way is closed."""
FloorCount = Callable[[], tuple[int, int]]
"""(spares, floor). The same holds; one that fails, or gives anything else, is not full."""

_log = logging.getLogger("warmline.health")


class WarmUp(Protocol):
    """What is asked of a warm-up; `warmline.startup.Plan` is one."""

    def gating(self) -> Gating:
        """What keeps the process from being ready."""
        ...

    def report(self) -> Report:
        """How it went so far."""
        ...

    def run_soon(self) -> bool:
        """Run in the background what failed and costs nothing, unless a run is under way."""
        ...


class Health:
    """Answers probes. Knows neither pools nor an agent: they are plugged in.

    Args:
        warm_up: whose steps count.
        floors: how many spares there are, and should be, by name. They gate the first readiness only.
        gates: what must be open for the process to be ready, always, by name (credentials, for one).
        drain: when it begins, the process is not ready any more.
        warm_on_probe: a probe that finds steps failed has them run again, in the background, those that cost money
            excepted, at most once in `warm_pause_sec`. It is answered at once all the same.
    """

    def __init__(
        self,
        warm_up: WarmUp | None = None,
        *,
        floors: Mapping[str, FloorCount] | None = None,
        gates: Mapping[str, Gate] | None = None,
        drain: Drain | None = None,
        warm_on_probe: bool = False,
        warm_pause_sec: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        self.floors: dict[str, FloorCount] = dict(floors or {})
        self.gates: dict[str, Gate] = dict(gates or {})
        self.drain: Drain | None = drain
        self._warm_up = warm_up
        self._warm_on_probe = warm_on_probe
        self._warm_pause_sec = warm_pause_sec
        self._clock: Clock = clock or SystemClock()
        self._warmed_sec = -float("inf")
        self._readiness = Readiness()

    def probe(self) -> Verdict:
        """Whether the process is ready, and what is missing."""
        verdict = self._judge()
        if self._warm_on_probe and not self._readiness.draining:
            self._warm()
        return verdict

    def detail(self) -> dict[str, Any]:
        """Everything known, for the operations port: the report of the warm-up, floors, gates, live calls."""
        verdict = self._judge()
        drain = self.drain
        return {
            **asdict(verdict),
            "ready": verdict.ready,
            "warm_up": self._report(),
            "floors": {name: list(counts) for name, counts in self._counts().items()},
            "gates": {name: not closed for name, closed in self._why_closed().items()},
            "calls": None
            if drain is None
            else {
                "live": drain.live,
                "draining": drain.begun,
                "left_sec": drain.left_sec if math.isfinite(drain.left_sec) else None,  # JSON has no infinity
            },
        }

    def _judge(self) -> Verdict:
        if self.drain is not None and self.drain.begun:
            self._readiness.drain()
        return self._readiness.judge(self._facts())

    def _facts(self) -> Facts:
        short = tuple(name for name, (spares, floor) in self._counts().items() if spares < floor)
        closed = tuple(why for why in self._why_closed().values() if why)
        if self._warm_up is None:
            return Facts(closed=closed, short=short)
        try:
            gating = self._warm_up.gating()
        except PlanError:  # not open: it has not begun, or is over
            return Facts(critical=("warm-up",), closed=closed, short=short, start_over=False)
        return Facts(
            critical=gating.critical,
            closed=closed,
            waiting=gating.waiting,
            short=short,
            floors_gate=gating.floors_gate,
            lost=gating.degraded,
            start_over=gating.over,
        )

    def _counts(self) -> dict[str, tuple[int, int]]:
        return {name: _ask(name, count, _pair, otherwise=(0, 1)) for name, count in self.floors.items()}

    def _why_closed(self) -> dict[str, str | None]:
        """By gate; None for those that are open."""
        return {name: _ask(name, gate, partial(_closed, name), otherwise=name) for name, gate in self.gates.items()}

    def _report(self) -> dict[str, Any] | None:
        try:
            return None if self._warm_up is None else self._warm_up.report().to_dict()
        except PlanError:
            return None

    def _warm(self) -> None:
        now_sec = self._clock.now()
        if self._warm_up is None or now_sec - self._warmed_sec < self._warm_pause_sec:
            return
        try:
            if self._warm_up.run_soon():
                self._warmed_sec = now_sec
        except PlanError:
            return


def _pair(said: Any) -> tuple[int, int]:
    spares, floor = said
    return int(spares), int(floor)


def _closed(name: str, said: Gated) -> str | None:
    """None if it is open; else its name, and what it says about why: credentials begin that with their own name."""
    if inspect.isawaitable(said):
        close = getattr(said, "close", None)
        if close is not None:
            close()  # it will never be awaited
        raise TypeError("a gate is asked, not awaited")
    if said:
        return None
    why = getattr(said, "why_not", None)
    return f"{name}: {str(why).removeprefix(f'{name}: ')}" if why else name


def _ask(name: str, plugged_in: Callable[[], Any], read: Callable[[Any], Any], *, otherwise: Any) -> Any:
    """What was plugged in is not ours: its failure is an answer, not the end of the probe."""
    try:
        return read(plugged_in())
    except Exception as error:
        _log.warning("asking %s failed: %s", name, type(error).__name__)
        return otherwise
