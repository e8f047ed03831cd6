"""Events for whoever subscribed: the pool appends, somebody else reads, and nobody in a call waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.events import Event

__all__ = ["EventStream"]


class EventStream:
    """A bounded feed of events: iterate it with `async for`, or `drain()` it now and then.

    A reader that is too slow loses the oldest events, counted in `dropped`; it never slows the pool.
    Several may read one stream: each event goes to one of them. Close it when done.
    """

    def __init__(self, limit: int, on_close: Callable[[EventStream], None]) -> None:
        self._events: deque[Event] = deque(maxlen=limit)
        self._on_close = on_close
        self._readers: set[asyncio.Future[None]] = set()
        self._closed = False
        self.dropped: int = 0

    def append(self, event: Event) -> None:
        """Called by the pool, on its loop."""
        self.dropped += len(self._events) == self._events.maxlen
        self._events.append(event)
        self._wake()

    def drain(self) -> list[Event]:
        """What has happened since the last look, oldest first."""
        events = list(self._events)
        self._events.clear()
        return events

    def close(self) -> None:
        """No more events; a waiting reader ends. Harmless when called twice."""
        if not self._closed:
            self._closed = True
            self._on_close(self)
            self._wake()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._readers.add(woken)
            try:
                await woken
            finally:
                self._readers.discard(woken)
        return self._events.popleft()

    def _wake(self) -> None:
        for reader in self._readers:
            if not reader.done():
                reader.set_result(None)
