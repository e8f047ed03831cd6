"""What decides: whether the token at hand may be served, and when to fetch another. Pure state, no clock, no I/O.

Lifetimes are counted on the monotonic clock from the moment a value was first seen, so that later steps of the wall
clock lengthen nothing. What the wall clock alone sees to pass (the machine slept; the monotonic clock does not count
that) is taken off the life of the token.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from warmline.credentials.token import Token
from warmline.errors import CredentialError, CredentialRefused, CredentialUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.credentials.source import RefreshPolicy
    from warmline.credentials.token import IssuedToken

__all__ = ["Counters", "KeptToken"]

SLEPT_SEC = 2.0
"""A step of the wall clock from which on the machine is taken to have slept."""
LEAST_LIFE_SEC = 60.0
"""A token that looks dead as it comes from its source is taken to live so long: more likely our clock is ahead."""
WAITED_FOR_RETRY_SEC = 5.0
"""Longest pause between attempts while there is nothing to serve."""
REFUSED_GAP_SEC = 30.0
"""Least time between two refreshes that services asked for by refusing a token."""
OVERDUE_FAILURES = 3
"""A source that so often in a row gave nothing else when it should have is in trouble."""
ISSUER_WINDOW_SEC = 300.0
"""A source with a cache renews at the latest so long before the end (azure-identity's DEFAULT_REFRESH_OFFSET)."""


@dataclass(slots=True)
class Counters:
    """How often what has happened."""

    fetches: int = 0
    refreshed: int = 0
    unchanged: int = 0
    failed: int = 0
    hung: int = 0
    waited: int = 0
    refused_by_service: int = 0
    slept: int = 0


class KeptToken:
    """One credential's token. Times are monotonic seconds (`now`) and Unix seconds (`wall`)."""

    def __init__(self, policy: RefreshPolicy, jitter: Callable[[float, float], float]) -> None:
        self.policy: RefreshPolicy = policy
        self.token: Token | None = None
        self.failures: int = 0
        self.last_error: CredentialError | None = None
        self.refused_by_service: bool = False
        self.source_is_stale: bool = False  # it repeats a token that is dead
        self.fetching: bool = False
        self.counters: Counters = Counters()
        self._jitter = jitter
        self._good_until = -math.inf
        self._lifetime_sec = 0.0
        self._stated_end = math.inf  # by the source's clock, as it says
        self._renews_at = math.inf  # from when on a source with a cache should give another value
        self._next_at = -math.inf
        self._forced_at = -math.inf
        self._seen: tuple[float, float] | None = None
        self._set_back_sec = 0.0  # by so much the wall clock was set back and not yet forth again

    # -- reading

    def servable(self, now: float) -> Token | None:
        """The token, unless it is about to end."""
        margin = min(self.policy.margin_sec, 0.01 * self._lifetime_sec)
        return self.token if now < self._good_until - margin else None

    def lasts_sec(self, now: float) -> float:
        """How long the token at hand is still good; 0 when there is none."""
        return max(0.0, self._good_until - now)

    def due_in_sec(self, now: float) -> float:
        """Seconds until the next fetch should begin: 0 now, infinite never."""
        return max(0.0, self._next_at - now)

    # -- what happens

    def observe(self, now: float, wall: float) -> bool:
        """Look at both clocks, before every decision; True when something may be due: the machine has slept."""
        before, self._seen = self._seen, (now, wall)
        step_sec = (wall - before[1]) - (now - before[0]) if before else 0.0
        if step_sec <= -SLEPT_SEC:
            self._set_back_sec -= step_sec
        if step_sec < SLEPT_SEC:
            return False
        set_forth_sec = min(step_sec, self._set_back_sec)
        if set_forth_sec:  # or it slept: a token that is good is not dropped for it, but another one is fetched now
            self._set_back_sec -= set_forth_sec
            self.want(now)
        slept_sec = step_sec - set_forth_sec
        if slept_sec < SLEPT_SEC:
            return True
        self.counters.slept += 1
        self._good_until -= slept_sec
        self._renews_at -= slept_sec
        self._next_at -= slept_sec
        self._forced_at -= slept_sec
        return True

    def begin(self) -> None:
        """A fetch begins."""
        self.fetching = True
        self.counters.fetches += 1

    def succeeded(self, issued: IssuedToken, *, began: float, now: float, wall: float) -> bool:
        """A fetch gave a token; True when it is another one than before."""
        if self.token is not None and issued.value == self.token.value:
            self._same_again(issued, began, now, wall)
            return False
        self.failures, self.last_error = 0, None
        self.refused_by_service = self.source_is_stale = False
        self.counters.refreshed += 1
        self._anchor(issued, began, now, wall)
        epoch = self.token.epoch + 1 if self.token else 1
        self.token = Token(value=issued.value, epoch=epoch, expires_on=wall + self._good_until - now)
        return True

    def failed(self, error: CredentialError, now: float) -> None:
        """A fetch gave none."""
        self.counters.failed += 1
        self.last_error = error
        self._retry(now, error)

    def refuse(self, value: str, now: float) -> bool:
        """The service refused `value`; True when that asks for another token at once. Old news is ignored."""
        if self.token is None or value != self.token.value or self.refused_by_service:
            return False
        self.counters.refused_by_service += 1
        self.refused_by_service = self.source_is_stale = True
        self._forced_at = max(now, self._forced_at + REFUSED_GAP_SEC)
        self._next_at = min(self._next_at, self._forced_at)
        return True

    def want(self, now: float) -> None:
        """Somebody asks for a fetch now."""
        self._next_at = min(self._next_at, now)

    # -- how

    def _anchor(self, issued: IssuedToken, began: float, now: float, wall: float) -> None:
        if issued.expires_on is None:
            self._good_until, self._lifetime_sec = began + issued.lifetime_sec, issued.lifetime_sec
        else:
            self._lifetime_sec = max(issued.expires_on - wall, LEAST_LIFE_SEC)
            self._good_until = now + self._lifetime_sec
        self._stated_end = issued.expires_on or math.inf
        self._renews_at = self._good_until - ISSUER_WINDOW_SEC
        if issued.refresh_on is not None:
            self._renews_at = min(self._renews_at, now + issued.refresh_on - wall)
        self._next_at = self._first_refresh_at(began, now)

    def _first_refresh_at(self, began: float, now: float) -> float:
        if self._lifetime_sec == math.inf:
            return math.inf
        early = self._jitter(1.0 - self.policy.jitter_share, 1.0)
        share_sec = self.policy.refresh_at_share * self._lifetime_sec
        if self.policy.poll_sec is None:
            due = began + share_sec * early
        else:
            due = now + min(self.policy.poll_sec, share_sec) * early
        return max(due, now + self.policy.retry_min_sec)  # however short it lasts: never without a pause

    def _prolongs(self, issued: IssuedToken, began: float) -> bool:
        """The source says of the token at hand that it lasts longer than it had said before."""
        if issued.expires_on is None:
            return issued.lifetime_sec < math.inf and began + issued.lifetime_sec > self._good_until
        return issued.expires_on > self._stated_end

    def _prolong(self, issued: IssuedToken, began: float, now: float, wall: float) -> None:
        self.failures, self.last_error, self.source_is_stale = 0, None, False
        self._anchor(issued, began, now, wall)
        if self.token is not None:
            self.token = replace(self.token, expires_on=wall + self._good_until - now)

    def _same_again(self, issued: IssuedToken, began: float, now: float, wall: float) -> None:
        """A source with a cache has nothing else yet, which is an attempt that failed once it should have."""
        self.counters.unchanged += 1
        if self._prolongs(issued, began) and not self.refused_by_service:
            return self._prolong(issued, began, now, wall)
        if issued.expires_on is not None and issued.expires_on - wall < LEAST_LIFE_SEC:
            self._good_until = max(self._good_until, now + LEAST_LIFE_SEC)
        self.source_is_stale = self.refused_by_service or self.servable(now) is None
        if self.policy.poll_sec is None or now >= self._renews_at or self.refused_by_service:
            self._retry(now, None)
            if self.failures >= OVERDUE_FAILURES and not self.refused_by_service:
                self.last_error = CredentialUnreachable("its source gives no other token, though one is due")
        else:
            self.failures, self.last_error = 0, None
            self._next_at = now + self.policy.poll_sec * self._jitter(1.0 - self.policy.jitter_share, 1.0)
        if self._lifetime_sec == math.inf:
            self._next_at = math.inf

    def _retry(self, now: float, error: CredentialError | None) -> None:
        """After a failure: doubling, jittered, and the more often the nearer the end of the token at hand."""
        self.failures += 1
        policy = self.policy
        longest = policy.retry_max_sec
        if isinstance(error, CredentialRefused):
            longest, delay = policy.retry_max_sec, policy.retry_max_sec
        elif self.servable(now) is None:
            longest = min(longest, max(policy.retry_min_sec, WAITED_FOR_RETRY_SEC))
            delay = min(longest, policy.retry_min_sec * 2.0 ** min(self.failures - 1, 30))
        else:
            longest = min(longest, max(policy.retry_min_sec, self.lasts_sec(now) / 8))
            delay = min(longest, policy.retry_min_sec * 2.0 ** min(self.failures - 1, 30))
        delay *= self._jitter(0.5, 1.0)
        self._next_at = now + max(delay, self._asked_to_wait_sec(now, error))

    def _asked_to_wait_sec(self, now: float, error: CredentialError | None) -> float:
        """What the issuer asked for, as far as the token at hand, or a waiting caller, allows."""
        asked = (error.retry_after_sec if error else None) or 0.0
        return min(asked, max(self.policy.retry_max_sec, self.lasts_sec(now) / 8))
