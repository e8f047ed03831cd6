"""When to try again to prove connections, after warm-ups have stopped being answered."""

from __future__ import annotations

__all__ = ["ProofPace"]

FIRST_SEC = 1.0


class ProofPace:
    """As fast as they come while warm-ups are answered; else one at a time, each pause twice the one before.

    Times are those of the event loop.

    Args:
        longest_sec: the longest pause.

    Attributes:
        failing: the last warm-up on a fresh connection had no complete answer.
    """

    def __init__(self, longest_sec: float) -> None:
        self._longest_sec = longest_sec
        self._pause_sec = 0.0
        self._failed_at = self._retry_at = 0.0
        self._trying = False
        self.failing: bool = False

    def may_try(self, now: float) -> bool:
        """True when another connection may be proven."""
        return not self.failing or (not self._trying and now >= self._retry_at)

    def begin(self) -> None:
        """One is being proven."""
        self._trying = True

    def withdraw(self) -> None:
        """That proof was called off: no verdict."""
        self._trying = False

    def succeed(self) -> bool:
        """It was answered; True when that is news."""
        news, self.failing, self._trying, self._pause_sec = self.failing, False, False, 0.0
        return news

    def fail(self, began_at: float, now: float) -> float | None:
        """It was not: the pause in seconds, or None for one that had begun before the last failure was known."""
        self._trying = False
        if self.failing and began_at < self._failed_at:
            return None
        self.failing, self._failed_at = True, now
        self._pause_sec = min(self._longest_sec, 2 * self._pause_sec or FIRST_SEC)
        self._retry_at = now + self._pause_sec
        return self._pause_sec
