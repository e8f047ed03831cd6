"""A failure in one line that may be logged."""

from __future__ import annotations

__all__ = ["in_one_line"]

# Their messages speak of sockets and protocols. Others may hold a key, a URL or a caller's words.
_SPEAKABLE = {"OSError", "TransportError", "NetworkError", "ProtocolError", "TimeoutException", "WarmUpFailed"}


def in_one_line(error: BaseException) -> str:
    """Its type and those of its causes, with the messages of the network's own errors."""
    parts: list[str] = []
    each: BaseException | None = error
    while each is not None and len(parts) < 8:
        speakable = str(each) and any(kind.__name__ in _SPEAKABLE for kind in type(each).__mro__)
        part = f"{type(each).__name__}: {each}" if speakable else type(each).__name__
        if part not in parts:
            parts.append(part)
        each = each.__cause__
    return " <- ".join(parts)
