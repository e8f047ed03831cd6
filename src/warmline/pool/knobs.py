"""Every setting of a pool, checked once. What each one means to a user stands in docs/reference/pool-knobs.md."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from warmline.errors import ConfigError

__all__ = ["PoolKnobs"]

_COUNTS = {"warm_pool_size": 0, "max_size": 1, "max_spares": 0, "max_waiting": 0}
_COUNTS |= {"max_concurrent_creates": 1, "creates_per_minute": 1}
_OPTIONAL = {"max_size", "max_spares", "max_waiting", "creates_per_minute", "max_idle_sec", "max_lifetime_sec"}
_OPTIONAL |= {"keepalive_interval_sec", "validate_after_sec"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolKnobs:
    """Numbers and switches of one pool; hooks live elsewhere.

    Raises:
        ConfigError: a value is out of its range; the message names the knob, the value and what was expected.
    """

    name: str = "pool"
    warm_pool_size: int = 1
    enable_background_warmup: bool = True
    warmup_interval_sec: float = 30.0
    session_awareness: bool = True
    session_max_age_sec: float = 1800.0
    stale_sessions: Literal["flag", "reclaim"] = "flag"
    recycle: bool = True
    max_size: int | None = None
    max_spares: int | None = None
    max_waiting: int | None = None
    max_concurrent_creates: int = 16
    creates_per_minute: int | None = None
    create_timeout_sec: float = 10.0
    hook_timeout_sec: float = 5.0
    acquire_timeout_sec: float = 30.0
    retry_min_sec: float = 0.25
    retry_max_sec: float = 5.0
    max_idle_sec: float | None = None
    max_lifetime_sec: float | None = None
    keepalive_interval_sec: float | None = None
    validate_after_sec: float | None = None

    def __post_init__(self) -> None:
        for knob in fields(self):
            value = getattr(self, knob.name)
            if value is None and knob.name in _OPTIONAL:
                continue
            if knob.name in _COUNTS:
                _check_count(self.name, knob.name, value)
            elif knob.name.endswith("_sec"):
                _check_seconds(self.name, knob.name, value)
        if self.stale_sessions not in ("flag", "reclaim"):
            raise ConfigError(f"[{self.name}] stale_sessions={self.stale_sessions!r}: expected 'flag' or 'reclaim'")
        if self.retry_max_sec < self.retry_min_sec:
            raise ConfigError(f"[{self.name}] retry_max_sec must be at least retry_min_sec")
        if self.max_size is not None and self.warm_pool_size > self.max_size:
            raise ConfigError(f"[{self.name}] warm_pool_size={self.warm_pool_size} is above max_size={self.max_size}")

    @property
    def sweep_sec(self) -> float:
        """Seconds between sweeps: never more than half the idle limit."""
        if self.max_idle_sec is None:
            return self.warmup_interval_sec
        return min(self.warmup_interval_sec, self.max_idle_sec / 2)


def _check_count(pool: str, knob: str, value: object) -> None:
    least = _COUNTS[knob]
    if value == "auto" and knob == "warm_pool_size":
        raise ConfigError(f"[{pool}] warm_pool_size='auto' is not available yet: give a number or a floor_policy")
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"[{pool}] {knob}={value!r}: expected a whole number of at least {least}")


def _check_seconds(pool: str, knob: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value) or value < 0:
        raise ConfigError(f"[{pool}] {knob}={value!r}: expected seconds, not negative")
    if value == 0 and knob not in ("acquire_timeout_sec", "validate_after_sec", "retry_min_sec", "retry_max_sec"):
        raise ConfigError(f"[{pool}] {knob}=0: expected more than 0 seconds")
