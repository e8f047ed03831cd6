"""Which requests may be sent a second time when the first met a connection that was just being closed."""

from __future__ import annotations

from typing import Any

__all__ = ["may_be_repeated", "repeatable_call"]

_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}  # RFC 9110, section 9.2.2
_GENERATES = ("/chat/completions", "/completions", "/responses", "/embeddings")


def may_be_repeated(dialect_httpx: Any, request: Any, *, generates: bool) -> bool:
    """True when its body can be sent again and a second execution does no harm.

    A POST is repeated only with an idempotency key, or where it generates text, which the SDK's own retries repeat as
    well; whether a path means that, only a client of a language model `generates`. Whoever sent it must still have
    heard no byte in answer: that is the caller's part.
    """
    if not isinstance(request.stream, dialect_httpx.ByteStream):
        return False
    return repeatable_call(request.method, request.url.path, request.headers, generates=generates)


def repeatable_call(method: str, path: str, headers: Any, *, generates: bool) -> bool:
    """True when a second execution does no harm."""
    if method in _IDEMPOTENT or "idempotency-key" in headers:
        return True
    return generates and path.rstrip("/").endswith(_GENERATES)
