"""One attempt at a time-bounded call: on the loop when it is async, in a daemon thread of its own when it is not.

What does not end in time is abandoned, counted, and its late result handed over. The loop's own executor is not used:
its threads are joined at exit, where one that hangs would hang the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any

from warmline.errors import WarmUpFailed
from warmline.startup.last_moment import wait_for_at_exit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Attempts", "NoEnd", "is_async"]

MAX_HANGING = 16
CANCEL_GRACE_SEC = 1.0


class NoEnd(WarmUpFailed):
    """The call did not end within its bound."""


def is_async(call: Callable[..., Any]) -> bool:
    """True when calling it only makes a coroutine, so that it may be called on the loop."""
    while isinstance(call, functools.partial):
        call = call.func
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


class Attempts:
    """Makes attempts, and owns those that would not end."""

    def __init__(self) -> None:
        self.abandoned: int = 0
        """Calls that did not end in time and could not be stopped; some may have ended since."""
        self._deaf: set[asyncio.Task[Any]] = set()
        self._hanging_threads = 0

    @property
    def hanging(self) -> int:
        """Abandoned calls that have still not ended."""
        return len(self._deaf) + self._hanging_threads

    async def run(self, name: str, call: Callable[[], Any], timeout_sec: float, late: Callable[[], None]) -> Any:
        """Its result. `late` is called when it succeeds after it was given up.

        Raises:
            NoEnd: it did not end in time.
            WarmUpFailed: too many earlier calls hang, or it cancelled itself.
            BaseException: whatever it raised.
        """
        if self.hanging >= MAX_HANGING:
            raise WarmUpFailed(f"{self.hanging} earlier calls hang")
        task = asyncio.get_running_loop().create_task(self._call(name, call, late), name=f"warm-up {name}")
        try:
            await asyncio.wait({task}, timeout=timeout_sec)
        except asyncio.CancelledError:
            await self._stop(task, late)
            raise
        if not task.done():
            await self._stop(task, late)
            raise NoEnd(f"no end within {timeout_sec:g} s")
        if task.cancelled():
            raise WarmUpFailed("it cancelled itself")
        return task.result()

    async def finish(self) -> int:
        """Try once more to end what would not be cancelled; how many tasks are left."""
        for task in tuple(self._deaf):
            task.cancel()
        if self._deaf:
            await asyncio.wait(tuple(self._deaf), timeout=CANCEL_GRACE_SEC)
        return len(self._deaf)

    async def _call(self, name: str, call: Callable[[], Any], late: Callable[[], None]) -> Any:
        try:
            value = call() if is_async(call) else await self._in_thread(name, call, late)
            return await value if inspect.isawaitable(value) else value
        except SystemExit as error:
            raise WarmUpFailed("it raised SystemExit") from error

    async def _stop(self, task: asyncio.Task[Any], late: Callable[[], None]) -> None:
        task.cancel()
        try:
            await asyncio.wait({task}, timeout=CANCEL_GRACE_SEC)
        finally:
            if not task.done():
                self.abandoned += 1
                self._deaf.add(task)
                task.add_done_callback(self._deaf.discard)
            task.add_done_callback(functools.partial(_hand_over, late))

    async def _in_thread(self, name: str, call: Callable[[], Any], late: Callable[[], None]) -> Any:
        thread = _Thread(name, call)
        try:
            return await thread.result
        except asyncio.CancelledError:
            if thread.succeeded:  # in this very step of the loop
                late()
            elif not thread.ended:
                self.abandoned += 1
                self._hanging_threads += 1
                thread.abandon(functools.partial(self._thread_ended, late))
            raise

    def _thread_ended(self, late: Callable[[], None], error: BaseException | None) -> None:
        self._hanging_threads -= 1
        if error is None:
            late()


class _Thread:
    """One call in a thread. A loop on virtual time stands still until it ended or was abandoned."""

    def __init__(self, name: str, call: Callable[[], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_late_end: Callable[[BaseException | None], None] | None = None
        self._release: Callable[[], None] = getattr(self._loop, "release_time", _nothing)
        self.ended: bool = False
        self.succeeded: bool = False
        self.result: asyncio.Future[Any] = self._loop.create_future()
        run = functools.partial(contextvars.copy_context().run, call)
        thread = threading.Thread(target=self._work, args=(run,), name=f"warm-up {name}", daemon=True)
        thread.start()
        wait_for_at_exit(thread)
        getattr(self._loop, "hold_time", _nothing)()

    def abandon(self, on_late_end: Callable[[BaseException | None], None]) -> None:
        """Nobody waits any more."""
        self._on_late_end = on_late_end
        self._release()

    def _work(self, run: Callable[[], Any]) -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            value = run()
        except BaseException as failure:
            error = failure
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(self._end, value, error)

    def _end(self, value: Any, error: BaseException | None) -> None:
        self.ended = True
        if self._on_late_end is not None:
            if inspect.iscoroutine(value):
                value.close()  # it would have been awaited
            self._on_late_end(error)
            return
        self._release()
        self.succeeded = error is None
        if self.result.done():
            return  # cancelled in this very step of the loop
        if error is None:
            self.result.set_result(value)
        else:
            self.result.set_exception(_settable(error))


def _settable(error: BaseException) -> BaseException:
    """A future refuses `StopIteration`, and `KeyboardInterrupt` would end the loop."""
    if isinstance(error, StopIteration | KeyboardInterrupt):
        failed = WarmUpFailed(f"it raised {type(error).__name__}")
        failed.__cause__ = error
        return failed
    return error


def _hand_over(late: Callable[[], None], task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is None:
        late()


def _nothing() -> None:
    return None
