"""The pool's own life."""

from enum import Enum

__all__ = ["Phase"]


class Phase(Enum):
    """From the constructor to the end of `shutdown`."""

    NEW = "new"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
