"""What the pool has done since it was made. Counters only grow."""

from collections import Counter
from dataclasses import dataclass, field

from warmline.pool.entry import CloseCause

__all__ = ["Counters"]


@dataclass(slots=True)
class Counters:
    """Every field counts occurrences, except `wait_sec_total` (seconds)."""

    dedicated: int = 0
    warm: int = 0
    cold: int = 0
    joined: int = 0
    waited: int = 0
    wait_sec_total: float = 0.0
    withdrawn: int = 0
    timed_out: int = 0
    saturated: int = 0
    refused_create_failed: int = 0
    prefetches: int = 0
    prefetches_dropped: int = 0
    prefetches_returned: int = 0
    create_starts: int = 0
    created: int = 0
    warmed: int = 0
    create_failures: int = 0
    keepalives: int = 0
    validations: int = 0
    resets: int = 0
    recycled: int = 0
    late_releases: int = 0
    foreign_releases: int = 0
    make_before_break: int = 0
    break_before_make: int = 0
    sweeps: int = 0
    sessions_flagged: int = 0
    sessions_reclaimed: int = 0
    abandoned_hooks: int = 0
    late_results_closed: int = 0
    close_failures: int = 0
    loop_stalls: int = 0
    closed: Counter[CloseCause] = field(default_factory=Counter)
