"""What a user gave the pool to call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HookSet", "PoolHooks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSet:
    """Which optional hooks the pool has: all that the core needs to know of them."""

    warm: bool = False
    validate: bool = False
    keepalive: bool = False
    reset: bool = False
    active: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolHooks:
    """The callables of a pool, each sync or async, each bounded in time."""

    factory: Callable[[], Any]
    warm: Callable[[Any], Any] | None = None
    validate: Callable[[Any], Any] | None = None
    keepalive: Callable[[Any], Any] | None = None
    reset: Callable[[Any], Any] | None = None
    close: Callable[[Any], Any] | None = None
    active: Callable[[Any], Any] | None = None
    prefer: Callable[[Any], float] | None = None
    """No hook in the sense above: called inline at a hand-out, it orders the spares."""

    def given(self) -> HookSet:
        """Those that are there."""
        return HookSet(
            warm=self.warm is not None,
            validate=self.validate is not None,
            keepalive=self.keepalive is not None,
            reset=self.reset is not None,
            active=self.active is not None,
        )
