"""Does a language model answer, and if not, why: for readiness and for the log."""

from dataclasses import dataclass

__all__ = ["ModelGate"]


@dataclass(frozen=True, slots=True)
class ModelGate:
    """One look. `why_not` is one line without a secret, None when nothing speaks against the next request."""

    why_not: str | None = None

    def __bool__(self) -> bool:
        return self.why_not is None
