"""Causes of errors that are safe to show: an exception of somebody else's may quote what it was given."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CauseWithheld", "forget_frames", "safe_cause"]

# A JSON web token: its header begins with {" in base64url.
JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+")
LEAST_SECRET_CHARS = 6


class CauseWithheld(Exception):  # noqa: N818 - it names what happened, like the errors it stands for
    """Stands for an exception whose text quoted a secret; the message is the name of its type."""


def safe_cause(error: BaseException, secrets: Iterable[str]) -> BaseException:
    """`error` itself, or what stands for it when it or one of its own causes quotes one of `secrets` or a web token."""
    forms = {form for secret in secrets if len(secret) >= LEAST_SECRET_CHARS for form in _forms(secret)}
    forget_frames(error)
    if any(_quotes(each, forms) for each in _chain(error)):
        return CauseWithheld(type(error).__name__)
    return error


def forget_frames(error: BaseException) -> None:
    """Clear the local variables that tracebacks keep alive: reporters show them, and they hold headers and bodies."""
    for each in _chain(error):
        traceback.clear_frames(each.__traceback__)


def _forms(secret: str) -> tuple[str, ...]:
    return secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]


def _quotes(error: BaseException, forms: set[str]) -> bool:
    text = f"{error!s} {error!r} {error.args!r} {getattr(error, '__notes__', ())}"
    return any(form in text for form in forms) or JWT.search(text) is not None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or any(each is known for known in seen):
            continue
        seen.append(each)
        yield each
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
