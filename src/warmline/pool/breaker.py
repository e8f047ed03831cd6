"""When the provider is down: fail callers at once, and find out with one probe at a time that it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warmline.clock import Clock
    from warmline.pool.entry import Entry
    from warmline.pool.sessions import Session

__all__ = ["Breaker"]

FAILURES_TO_OPEN = 3
LEAST_RETRY_SEC = 0.01  # even where no pause was asked for: a provider that fails at once would keep the loop busy


class Breaker:
    """Opens after three failed creations in a row, closes at the first success.

    `probe` is the creation that tests an open breaker, `prober` the one session that may wait for it.
    """

    def __init__(self, clock: Clock, retry_min_sec: float, retry_max_sec: float) -> None:
        self.clock = clock
        self._retry_min_sec = retry_min_sec
        self._retry_max_sec = retry_max_sec
        self.failures: int = 0
        self.open: bool = False
        self.opened: int = 0
        self.retry_at: float = 0.0
        self.last_error: BaseException | None = None
        self.probe: Entry | None = None
        self.prober: Session | None = None
        self._probes_failed = 0

    def succeeded(self) -> None:
        """A creation ended well: the provider is there."""
        self.failures = self._probes_failed = 0
        self.open = False
        self.retry_at = 0.0
        self.last_error = self.probe = self.prober = None

    def failed(self, entry: Entry, error: BaseException, now: float) -> None:
        """A creation failed. Those that began before the breaker opened do not lengthen the back-off."""
        self.failures += 1
        self.last_error = error
        if entry is self.probe:
            self._probes_failed += 1
            self.probe = self.prober = None
        elif self.open:
            return
        self.retry_at = now + self._back_off_sec()
        if self.failures >= FAILURES_TO_OPEN and not self.open:
            self.open = True
            self.opened += 1

    def withdrawn(self, entry: Entry) -> None:
        """A creation was called off by the pool itself: no verdict on the provider."""
        if entry is self.probe:
            self.probe = self.prober = None

    def probe_due(self, now: float) -> bool:
        """True when an open breaker may be tested."""
        return self.probe is None and now >= self.retry_at

    def _back_off_sec(self) -> float:
        shortest = max(self._retry_min_sec, LEAST_RETRY_SEC)
        longest = min(self._retry_max_sec, shortest * 2.0 ** min(self._probes_failed + 1, 30))
        return self.clock.jitter(shortest, max(shortest, longest))
