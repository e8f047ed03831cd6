"""A warm-up counts only if it proved something."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Any

from warmline.errors import WarmlineError, WarmUpFailed

__all__ = ["Verified", "reason_of", "weigh"]


@dataclass(frozen=True, slots=True)
class Verified:
    """Proof in words, for the report: `Verified("1.3 s of audio")`. The words are the step's own: no key, no speech."""

    evidence: str


def weigh(value: Any, *, must_prove: bool) -> str | None:
    """What `value`, returned by a step, proves; None when it proves nothing and need not.

    Raises:
        WarmUpFailed: it is no success.
    """
    if isinstance(value, Verified):
        return value.evidence
    if value is False:
        raise WarmUpFailed("it said that it failed")
    if isinstance(value, Generator | AsyncGenerator):
        raise WarmUpFailed("it is a generator function: nothing of it has run")
    for each in value if isinstance(value, list | tuple) else (value,):
        if isinstance(each, BaseException):  # of `gather(..., return_exceptions=True)`, for one
            raise WarmUpFailed(f"it returned a failure: {reason_of(each)}") from each
    if not must_prove:
        return None
    if value is None or not _is_true(value):
        raise WarmUpFailed(f"it ended without proof (returned {_kind(value)})")
    return _described(value)


def reason_of(error: BaseException) -> str:
    """Why a step failed, without what a stranger's message might give away: only our own messages are quoted."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, WarmlineError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__


def _is_true(value: Any) -> bool:
    try:
        return bool(value) and not value != value  # noqa: SIM202 - of all values NaN alone is not itself
    except Exception as error:  # an array of several numbers, for one
        raise WarmUpFailed(f"whether {_kind(value)} is proof cannot be told; return Verified(...)") from error


def _kind(value: Any) -> str:
    return (
        "None" if value is None else f"an empty {type(value).__name__}" if _sized(value) == 0 else type(value).__name__
    )


def _described(value: Any) -> str:
    """Never the value itself, unless it is a number: it may be a token, or what somebody said."""
    if isinstance(value, bool | int | float):
        return "yes" if value is True else str(value)
    size = _sized(value)
    return type(value).__name__ if size is None else f"{type(value).__name__} of {size}"


def _sized(value: Any) -> int | None:
    return len(value) if isinstance(value, bytes | bytearray | memoryview | str | list | tuple | dict | set) else None
