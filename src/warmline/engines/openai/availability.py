"""Whether a language model answers, from what requests and checks have shown: decides, and does no I/O."""

from collections.abc import Callable

from warmline.engines.openai.trouble import Trouble, TroubleKind

__all__ = ["Availability"]

_FIRST_PAUSE_SEC = 1.0
_LONGEST_PAUSE_SEC = 60.0
# What a check that costs nothing disproves. Other trouble only shows in a paid request: after it, a check that passes
# means no more than that the next caller's turn may try.
_SHOWN_BY_CHECKS = frozenset({TroubleKind.KEY, TroubleKind.UNREACHABLE})
# What lasts until somebody has done something about it.
_LASTING = frozenset({TroubleKind.QUOTA, TroubleKind.MODEL})


class Availability:
    """The trouble at hand, if any, and when to look again.

    `jitter(low, high)` draws a number between them.
    """

    def __init__(self, jitter: Callable[[float, float], float]) -> None:
        self.trouble: Trouble | None = None
        self.checks_show_model: bool = False
        """Whether a check would find that there is no such model. Azure lists what could be deployed, not what is."""
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
        if self.trouble is not None and self._is_shown_by_checks(self.trouble):
            self._failures = 0
        self.trouble = None

    def pause_sec(self) -> float:
        """Until the next check: doubled by each failure in a row, at least what the server asked for.

        What lasts, and shows in a caller's turn alone, is not tried again soon: each trial costs a caller the answer.
        """
        trouble = self.trouble
        if trouble is not None and trouble.kind in _LASTING and not self._is_shown_by_checks(trouble):
            return _LONGEST_PAUSE_SEC * self._jitter(1.0, 1.2)
        doubled: float = _FIRST_PAUSE_SEC * 2 ** min(self._failures - 1, 10)
        asked = trouble.retry_after_sec if trouble is not None else 0.0
        return min(_LONGEST_PAUSE_SEC, max(doubled, asked)) * self._jitter(1.0, 1.2)

    def _is_shown_by_checks(self, trouble: Trouble) -> bool:
        return trouble.kind in _SHOWN_BY_CHECKS or (trouble.kind is TroubleKind.MODEL and self.checks_show_model)
