"""Warmline: the first turn of a real-time voice agent, as fast as its hundredth."""

from warmline.pool import AllocationTier, Lease, OnDemandResourcePool, PoolGroup, WarmableResourcePool

__version__ = "0.1.0"
__all__ = ["AllocationTier", "Lease", "OnDemandResourcePool", "PoolGroup", "WarmableResourcePool", "__version__"]
