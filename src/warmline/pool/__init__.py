"""Warm resources lent to sessions, each to one at a time, and never the wrong one."""

from warmline.pool.api import FloorPolicy
from warmline.pool.budget import CreationBudget
from warmline.pool.entry import CloseCause, EntryState
from warmline.pool.group import PoolGroup
from warmline.pool.invariants import CHECKS, InvariantBroken
from warmline.pool.lease import Lease
from warmline.pool.observation import EventStream
from warmline.pool.on_demand import OnDemandResourcePool
from warmline.pool.snapshot import PoolCounts, PoolMetrics, PoolSnapshot
from warmline.pool.tier import AllocationTier, Warmth
from warmline.pool.warmable import WarmableResourcePool

__all__ = [
    "CHECKS",
    "AllocationTier",
    "CloseCause",
    "CreationBudget",
    "EntryState",
    "EventStream",
    "FloorPolicy",
    "InvariantBroken",
    "Lease",
    "OnDemandResourcePool",
    "PoolCounts",
    "PoolGroup",
    "PoolMetrics",
    "PoolSnapshot",
    "WarmableResourcePool",
    "Warmth",
]
