"""Where tokens come from, and how a source wants to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from warmline.errors import ConfigError

if TYPE_CHECKING:
    from warmline.credentials.token import IssuedToken

__all__ = ["RefreshPolicy", "TokenSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPolicy:
    """When to ask a source again.

    Half of a lifetime is left for outages: with `refresh_at_share` 0.5 one of 45 % of a lifetime is never noticed.

    Attributes:
        refresh_at_share: part of the lifetime after which another token is fetched.
        poll_sec: ask this often instead: for a source that keeps a cache and decides by itself when to renew.
        jitter_share: a refresh or poll comes earlier by up to this part, so that a fleet does not ask all at once.
        retry_min_sec, retry_max_sec: after failures: doubled from the first to the second, jittered.
        fetch_timeout_sec: a fetch that takes longer is called off and counted as failed.
        margin_sec: a token is not served in its last seconds (at most 1 % of its life): the request has to arrive.
    """

    refresh_at_share: float = 0.5
    poll_sec: float | None = None
    jitter_share: float = 0.1
    retry_min_sec: float = 1.0
    retry_max_sec: float = 30.0
    fetch_timeout_sec: float = 10.0
    margin_sec: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ConfigError: a value is out of its range.
        """
        shares = 0 < self.refresh_at_share < 1 and 0 <= self.jitter_share < 1
        times = self.fetch_timeout_sec > 0 and self.margin_sec >= 0 and (self.poll_sec is None or self.poll_sec > 0)
        if not (shares and times and 0 < self.retry_min_sec <= self.retry_max_sec):
            raise ConfigError(f"a refresh policy is out of its range: {self}")


class TokenSource(Protocol):
    """Issues tokens. A keeper calls `fetch` from one task, one call at a time."""

    @property
    def policy(self) -> RefreshPolicy:
        """How it wants to be asked."""
        ...

    async def fetch(self) -> IssuedToken:
        """A token, fetched or from a cache. Never blocks the loop.

        Raises:
            CredentialRefused: the key, secret or identity is not accepted.
            CredentialUnreachable: no usable answer.
        """
        ...

    def renew(self) -> None:
        """The last token was refused by its service, or the last fetch hung: the next one starts from scratch."""
        ...

    async def aclose(self) -> None:
        """Release everything. Harmless when called twice."""
        ...
