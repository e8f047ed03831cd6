"""How a resource reached its caller, and how far it had been taken before."""

from enum import Enum, IntEnum

__all__ = ["AllocationTier", "Warmth"]


class AllocationTier(Enum):
    """Where the resource of an acquire came from; decided at the hand-over, never inferred afterwards."""

    DEDICATED = "dedicated"
    """The session already held it."""
    WARM = "warm"
    """Made and warmed before the caller asked."""
    COLD = "cold"
    """The caller waited for a creation."""


class Warmth(IntEnum):
    """How far a warm-up was *verified* to have gone. A `warm_fn` may return one."""

    RESOLVED = 1
    CONNECTED = 2
    CONFIGURED = 3
    EXERCISED = 4
