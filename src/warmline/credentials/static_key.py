"""A key that does not run out, for the same consumers as tokens, and that can be replaced while calls go on."""

from __future__ import annotations

from warmline.credentials.source import RefreshPolicy
from warmline.credentials.token import IssuedToken
from warmline.errors import ConfigError, CredentialUnreachable

__all__ = ["StaticKey"]


class StaticKey:
    """One key.

    Raises:
        ConfigError: this cannot be a key.
    """

    def __init__(self, key: str) -> None:
        self._issued = _checked(key)

    @property
    def policy(self) -> RefreshPolicy:
        """Asked once, and whenever somebody wants it."""
        return RefreshPolicy()

    def replace(self, key: str) -> None:
        """Have another key from now on. `TokenKeeper.refresh` then makes it known to those who use the old one.

        Raises:
            ConfigError: this cannot be a key.
        """
        self._issued = _checked(key)

    async def fetch(self) -> IssuedToken:
        """The key."""
        return self._issued

    def renew(self) -> None:
        """Nothing: there is no other."""

    async def aclose(self) -> None:
        """Nothing to release."""

    def __repr__(self) -> str:
        return "StaticKey()"


def _checked(key: str) -> IssuedToken:
    try:
        return IssuedToken(value=key)
    except CredentialUnreachable:
        complaint = "a key is empty, or has spaces, line breaks or other characters that no header can carry"
    raise ConfigError(complaint)
