"""Real threads, one step at a time: what a property test needs to see the same thing twice."""

from __future__ import annotations

import threading
from typing import Any

from warmline.pool.threads import DaemonThreads, ThreadJob


class LockstepThreads(DaemonThreads):
    """Each call runs in a thread of the pool's, and is over before the event loop goes on."""

    def submit(self, job: ThreadJob) -> None:
        told = _Told(job.loop)
        job.loop = told  # type: ignore[assignment]  # the one method of a loop that a thread uses
        super().submit(job)
        told.told.wait()


class _Told:
    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.told = threading.Event()

    def call_soon_threadsafe(self, *call: Any) -> None:
        self.loop.call_soon_threadsafe(*call)
        self.told.set()
