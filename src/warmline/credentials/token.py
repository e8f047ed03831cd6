"""What an issuer gives, and what is served of it. Neither shows its value in `repr` or `str`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from warmline.errors import CredentialUnreachable

__all__ = ["IssuedToken", "Token"]

LONGEST_TOKEN_CHARS = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token or key as its source gave it, with whichever form of lifetime the issuer states.

    Attributes:
        value: the secret.
        lifetime_sec: how long it lasts, counted from the start of the request. Infinite for a key.
        expires_on: when it ends, as Unix seconds of this machine's wall clock. Wins over `lifetime_sec`.
        refresh_on: from when on the issuer recommends another one, likewise.
    """

    value: str = field(repr=False)
    lifetime_sec: float = math.inf
    expires_on: float | None = None
    refresh_on: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot stand in a header.

        Raises:
            CredentialUnreachable: this is no token, or one that lasts no time.
        """
        visible = self.value.isascii() and self.value.isprintable() and " " not in self.value
        if not (visible and 0 < len(self.value) <= LONGEST_TOKEN_CHARS):
            raise CredentialUnreachable("the answer holds no token")
        if not self.lifetime_sec > 0:
            raise CredentialUnreachable("the answer holds a token that is over as it comes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token that may be used now.

    Attributes:
        value: the secret, ready for a header.
        epoch: its generation: 1 for the first of its keeper, one more for every other value that follows.
        expires_on: when it ends, as Unix seconds by the wall clock of the moment it came; infinite for a key.
    """

    value: str = field(repr=False)
    epoch: int
    expires_on: float = math.inf
