"""Who waits for a token, on whichever loop or thread. A waiter that gives up takes nothing with it."""

from __future__ import annotations

import threading
from concurrent.futures import Future

__all__ = ["Waiters"]


class Waiters:
    """Everybody is woken together, and then looks for itself. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[Future[None]] = set()

    def join(self) -> Future[None]:
        """One more waiter; it is done at the next `wake`."""
        waiter: Future[None] = Future()
        with self._lock:
            self._waiting.add(waiter)
        waiter.add_done_callback(self._leave)
        return waiter

    def wake(self) -> None:
        """Something has happened."""
        with self._lock:
            woken, self._waiting = self._waiting, set()
        for waiter in woken:
            if waiter.set_running_or_notify_cancel():
                waiter.set_result(None)

    def __len__(self) -> int:
        return len(self._waiting)

    def _leave(self, waiter: Future[None]) -> None:
        with self._lock:
            self._waiting.discard(waiter)
