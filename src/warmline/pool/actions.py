"""What the core asks the shell to do: it decides, the shell performs."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from warmline.pool.entry import Entry

__all__ = ["Action", "Do"]


class Do(Enum):
    """Each starts (or drops) one hook; its outcome comes back to the core through one method of `PoolState`."""

    CREATE = "create"
    WARM = "warm"
    VALIDATE = "validate"
    KEEP_ALIVE = "keep_alive"
    RESET = "reset"
    CLOSE = "close"
    ASK_ACTIVE = "ask_active"
    ABANDON = "abandon"
    """The running hook is past its bound or no longer wanted: its late result is closed, its outcome ignored."""


class Action(NamedTuple):
    """One thing to do to one entry."""

    do: Do
    entry: Entry
