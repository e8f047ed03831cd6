"""A bounded set of daemon threads for hooks that block.

The loop's own executor is not used: its threads are joined at exit, so one hook that hangs would hang the process, and
a thread that is cancelled there goes on unseen. Here a hook that hangs is abandoned: counted, replaced by a new thread,
and its late result handed over to be closed.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    import contextvars
    from collections.abc import Callable

__all__ = ["DaemonThreads", "ThreadJob"]

MAX_THREADS = 32
MAX_ABANDONED = 64
IDLE_SEC = 10.0


class ThreadJob:
    """One call that runs, or will run, in a thread."""

    __slots__ = (
        "abandoned",
        "args",
        "call",
        "context",
        "done",
        "dropped",
        "finished",
        "loop",
        "queued_at",
        "started_at",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context,
        call: Callable[..., Any],
        args: tuple[Any, ...],
        done: Callable[[Any, BaseException | None], None],
    ) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self.context: contextvars.Context = context
        self.call: Callable[..., Any] = call
        self.args: tuple[Any, ...] = args
        self.done: Callable[[Any, BaseException | None], None] = done
        self.queued_at: float = time.monotonic()
        self.started_at: float | None = None
        self.finished: bool = False
        self.abandoned: bool = False
        self.dropped: bool = False

    @property
    def queued_sec(self) -> float:
        """How long it has waited, or had to wait, for a thread."""
        return (time.monotonic() if self.started_at is None else self.started_at) - self.queued_at


class DaemonThreads:
    """Runs calls in at most `MAX_THREADS` threads, plus up to `MAX_ABANDONED`, closes apart, that hang in an abandoned
    call."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[ThreadJob | None] = queue.SimpleQueue()
        self._threads = 0
        self._unfinished = 0  # jobs that are queued or run, abandoned ones not counted
        self.abandoned: int = 0

    def submit(self, job: ThreadJob, *, must_run: bool = False) -> None:
        """Run `job` as soon as a thread is free; `job.done` is then called on its loop, exactly once.

        Raises:
            RuntimeError: too many earlier calls hang, and this one is no close, which `must_run` all the same.
        """
        with self._lock:
            if self.abandoned >= MAX_ABANDONED and not must_run:
                raise RuntimeError(f"{self.abandoned} hooks hang in their threads")
            self._unfinished += 1
            spawn = self._threads < min(self._unfinished, MAX_THREADS)
            self._threads += spawn
        self._jobs.put(job)
        if spawn:
            self._spawn()

    def abandon(self, job: ThreadJob, *, still_run: bool) -> None:
        """Nobody waits for `job` any more. One that has not started is dropped, unless it must `still_run`."""
        with self._lock:
            if job.finished or job.abandoned or job.dropped:
                return
            if job.started_at is None:
                job.dropped = not still_run
                return
            job.abandoned = True
            self.abandoned += 1
            self._threads -= 1  # a replacement may start
            self._unfinished -= 1
            spawn = self._threads < min(self._unfinished, MAX_THREADS)
            self._threads += spawn
        if spawn:
            self._spawn()

    def stop(self) -> None:
        """Idle threads end now, busy ones after their call."""
        with self._lock:
            threads = self._threads
        for _ in range(threads):
            self._jobs.put(None)

    def _spawn(self) -> None:
        threading.Thread(target=self._work, name=f"{self._name}-hook", daemon=True).start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            value, error = self._call(job)
            with self._lock:
                job.finished = True
                stay = not job.abandoned
                if stay:
                    self._unfinished -= 1
                else:
                    self.abandoned -= 1
            _deliver(job, value, error)
            if not stay:
                return
            del job, value, error  # an idle thread keeps nothing alive

    def _next(self) -> ThreadJob | None:
        """The next job; None when this thread is one too many."""
        while True:
            try:
                job = self._jobs.get(timeout=IDLE_SEC)
            except queue.Empty:
                job = None
            if job is not None:
                return job
            with self._lock:
                if self._unfinished < self._threads:
                    self._threads -= 1
                    return None

    def _call(self, job: ThreadJob) -> tuple[Any, BaseException | None]:
        with self._lock:
            job.started_at = time.monotonic()
            if job.dropped:
                return None, RuntimeError("dropped before it began")
        try:
            return job.context.copy().run(job.call, *job.args), None
        except BaseException as error:
            return None, error


def _deliver(job: ThreadJob, value: Any, error: BaseException | None) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
        job.loop.call_soon_threadsafe(job.done, value, error)
