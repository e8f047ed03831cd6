"""Whether a language model answers, from what requests and checks have shown: decides, and does no I/O."""

from collections.abc import Callable

from warmline.engines.openai.trouble import Trouble, TroubleKind

__all__ = ["Availability"]

_FIRST_PAUSE_SEC = 1.0
_LONGEST_PAUSE_SEC = 60.0
# What a check that costs nothing disproves. A quota, or a deployment at Azure, only shows in a paid request: after such
# trouble a check that passes means no more than that the next caller's turn may try.
_SHOWN_BY_CHECKS = frozenset({TroubleKind.KEY, TroubleKind.UNREACHABLE})


class Availability:
    """The trouble at hand, if any, and when to look again.

    `jitter(low, high)` draws a number between them.
    """

    def __init__(self, jitter: Callable[[float, float], float]) -> None:
        self.trouble: Trouble | None = None
        self._jitter = jitter
        self._failures = 0
        self._has_answered = False

    def failed(self, trouble: Trouble) -> None:
        """A turn failed."""
        # Of many callers whose turns fail together, the first makes the pause; the others learn of the same trouble.
        self._failures += self.trouble is None
        self.trouble = trouble

    def answered(self) -> None:
        """A turn was answered."""
        self.trouble = None
        self._failures = 0
        self._has_answered = True

    def check_failed(self, trouble: Trouble) -> None:
        """A check failed. That a list lacks a model which has answered says nothing: lists know no aliases."""
        if trouble.kind is TroubleKind.MODEL and self._has_answered:
            self.check_passed()
            return
        self._failures += 1
        self.trouble = trouble

    def check_passed(self) -> None:
        """A check passed."""
        if self.trouble is not None and self.trouble.kind in _SHOWN_BY_CHECKS:
            self._failures = 0
        self.trouble = None

    def pause_sec(self) -> float:
        """Until the next check: doubled by each failure in a row, at least what the server asked for."""
        doubled: float = _FIRST_PAUSE_SEC * 2 ** min(self._failures - 1, 10)
        asked = self.trouble.retry_after_sec if self.trouble is not None else 0.0
        return min(_LONGEST_PAUSE_SEC, max(doubled, asked)) * self._jitter(1.0, 1.2)
