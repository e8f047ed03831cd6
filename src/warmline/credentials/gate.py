"""Is a credential fit for calls, and if not, why: for a readiness page and for the log. Holds no secret."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CredentialGate"]


@dataclass(frozen=True, slots=True)
class CredentialGate:
    """One look at a credential.

    Attributes:
        name: the credential's.
        ready: a request that is sent now carries a token that is good as far as anybody knows.
        why_not: one line, None when ready.
        trouble: one line about a refresh that fails while the old token still serves; None when all is well.
    """

    name: str
    ready: bool
    why_not: str | None = None
    trouble: str | None = None

    def __bool__(self) -> bool:
        return self.ready
