"""How many creations a provider's quota allows in a minute."""

import math
from collections import deque

__all__ = ["CreationBudget"]

WINDOW_SEC = 60.0


class CreationBudget:
    """At most `per_minute` starts in any sliding 60 s; the last tenth is kept for callers.

    Start times are remembered one by one: a token bucket of the same size would let twice as many through in a minute.
    """

    def __init__(self, per_minute: int | None) -> None:
        self.per_minute = per_minute
        self.for_refill: int | None = (
            None if per_minute is None else per_minute - (math.ceil(per_minute / 10) if per_minute > 1 else 0)
        )
        # One more than the limit, so that `overdrawn` can see a start that should not have been.
        self.starts: deque[float] = deque(maxlen=1 if per_minute is None else per_minute + 1)

    def opens_at(self, *, caller: bool) -> float:
        """The earliest time at which one more creation may start; 0 when any time is fine."""
        limit = self.per_minute if caller else self.for_refill
        if limit is None or len(self.starts) < limit:
            return 0.0
        return self.starts[-limit] + WINDOW_SEC

    def spend(self, now: float) -> None:
        """A creation starts."""
        self.starts.append(now)

    def overdrawn(self) -> bool:
        """True when more than `per_minute` of the last starts lie within 60 s: never, unless the pool is wrong."""
        limit = self.per_minute
        return limit is not None and len(self.starts) > limit and self.starts[-limit - 1] + WINDOW_SEC > self.starts[-1]
