"""A keeper's token in the shapes that clients ask for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from warmline.credentials.keeper import TokenKeeper

__all__ = ["AccessToken", "KeptCredential"]

FAR_FUTURE_UNIX_SEC = 4_102_444_800  # 2100-01-01, for a key, which never ends


class AccessToken(NamedTuple):
    """Shaped like `azure.core.credentials.AccessToken`, without its import; shows no token."""

    token: str
    expires_on: int

    def __repr__(self) -> str:
        return f"AccessToken(expires_on={self.expires_on})"


class KeptCredential:
    """Shaped like azure-core's `TokenCredential`: for the Speech SDK and Azure clients. Thread-safe.

    The keeper knows one scope, so scopes are ignored.
    """

    def __init__(self, keeper: TokenKeeper) -> None:
        self._keeper = keeper

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The token at hand; waits for one only when there is none.

        Raises:
            CredentialError: none came in time.
        """
        token = self._keeper.get()
        ends = FAR_FUTURE_UNIX_SEC if token.expires_on == math.inf else int(token.expires_on)
        return AccessToken(token.value, ends)
