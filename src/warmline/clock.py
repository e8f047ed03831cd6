"""Injected time: everything that waits, ages or jitters takes a `Clock`, so that tests run on virtual time."""

import random
import time
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Monotonic seconds and jitter."""

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        ...

    def jitter(self, low: float, high: float) -> float:
        """A number drawn evenly from `low` to `high`."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's monotonic clock and a random source of its own."""

    def now(self) -> float:
        """Seconds of `time.monotonic()`."""
        return time.monotonic()

    def jitter(self, low: float, high: float) -> float:
        """Evenly drawn; not for secrets."""
        return random.uniform(low, high)
