"""The same engine without spares: everything is made when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from warmline.pool.warmable import WarmableResourcePool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

__all__ = ["OnDemandResourcePool"]


class OnDemandResourcePool(WarmableResourcePool[T]):
    """A `WarmableResourcePool` with a floor of 0; takes the same knobs."""

    def __init__(
        self, factory: Callable[[], Awaitable[T] | T], name: str = "pool", session_awareness: bool = True, **knobs: Any
    ) -> None:
        super().__init__(factory, name=name, session_awareness=session_awareness, warm_pool_size=0, **knobs)
