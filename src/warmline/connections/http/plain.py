"""Requests outside of the warm pool: httpcore's own connections, with our names, sockets and timing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from warmline.connections.http.dial import Dialler
from warmline.connections.http.network import NetworkBackend

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from warmline.connections.http.names import ResolvedNames
    from warmline.connections.http.route import Route
    from warmline.connections.http.socket_options import SocketCare

__all__ = ["PlainPool"]


class PlainPool:
    """One httpcore pool, and the tasks that read the rest of abandoned bodies."""

    def __init__(self, route: Route, names: ResolvedNames, care: SocketCare) -> None:
        backend = NetworkBackend(route.dialect, lambda: Dialler(names, care, route.local_address))
        self.core: Any = route.new_pool(backend)
        self._tasks: set[asyncio.Task[None]] = set()

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` to its end, or to the pool's."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Close every connection."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.core.aclose()
