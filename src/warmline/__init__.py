"""Warmline: the first turn of a real-time voice agent, as fast as its hundredth."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warmline.pool import AllocationTier, Lease, OnDemandResourcePool, PoolGroup, WarmableResourcePool

__version__ = "0.1.0"
__all__ = ["AllocationTier", "Lease", "OnDemandResourcePool", "PoolGroup", "WarmableResourcePool", "__version__"]


def __getattr__(name: str) -> object:
    # The pool, and asyncio with it, is loaded by who uses it: `warmline --help` does not.
    if name in __all__:
        return getattr(import_module("warmline.pool"), name)
    raise AttributeError(f"module 'warmline' has no attribute {name!r}")
