"""Who shares an origin: all clients of one event loop that are alike in all that its connections depend on."""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from warmline.connections.http.origin import WarmOrigin
    from warmline.connections.http.warm_up import WarmUp

__all__ = ["join", "leave"]


@dataclass(slots=True)
class _Shared:
    origin: WarmOrigin
    holders: set[object] = field(default_factory=set)


_origins: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Shared]] = weakref.WeakKeyDictionary()


def join(
    key: Hashable, make: Callable[[], WarmOrigin], holder: object, warm_up: Callable[[], WarmUp | None]
) -> WarmOrigin:
    """The running loop's origin of this key, made if nobody holds it yet."""
    for past in [loop for loop in tuple(_origins) if loop.is_closed()]:
        del _origins[past]
    of_loop = _origins.setdefault(asyncio.get_running_loop(), {})
    shared = of_loop.get(key)
    if shared is None:
        shared = of_loop[key] = _Shared(make())
    shared.holders.add(holder)
    shared.origin.prover.add_warm_up(holder, warm_up)
    return shared.origin


async def leave(key: Hashable, holder: object) -> None:
    """`holder` needs it no more; the last one closes it."""
    of_loop = _origins.get(asyncio.get_running_loop(), {})
    shared = of_loop.get(key)
    if shared is None or holder not in shared.holders:
        return
    shared.holders.discard(holder)
    shared.origin.prover.drop_warm_up(holder)
    if not shared.holders:
        del of_loop[key]
        await shared.origin.aclose()
