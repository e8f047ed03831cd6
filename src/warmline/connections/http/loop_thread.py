"""One event loop in a daemon thread, for all synchronous clients of the process; it ends with the last of them."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LoopThread", "in_daemon_thread"]

T = TypeVar("T")


class LoopThread:
    """A share in the one thread. Safe from any thread but its own; in a forked child, a share in the child's own."""

    _lock = threading.Lock()
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _shares = 0
    _generation = 0
    _of_parents: ClassVar[list[object]] = []

    def __init__(self) -> None:
        self._open = True
        self._join()

    def _join(self) -> None:
        cls = LoopThread
        with cls._lock:
            if cls._loop is None:
                cls._loop = asyncio.new_event_loop()
                cls._thread = threading.Thread(
                    target=_run_loop, args=(cls._loop,), name="warmline-connections", daemon=True
                )
                cls._thread.start()
            cls._shares += 1
            self._joined = cls._generation
            self.loop: asyncio.AbstractEventLoop = cls._loop

    @property
    def closed(self) -> bool:
        """The share was given back."""
        return not self._open

    @classmethod
    def _begin_anew(cls) -> None:
        """In a forked child: the thread did not come along, and the lock may be held by one that did not either.

        The parent's loop is never used, nor collected: its selector is the same kernel object in both processes.
        """
        cls._of_parents.append((cls._loop, cls._thread))
        cls._lock = threading.Lock()
        cls._loop = cls._thread = None
        cls._shares = 0
        cls._generation += 1

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which runs on the loop; interrupted here, it is cancelled there.

        Raises:
            RuntimeError: the share was given back, or this is the loop's own thread, which would wait for itself.
        """
        if not self._open or threading.current_thread() is LoopThread._thread:
            work.close()
            raise RuntimeError("the client has been closed" if not self._open else "this would wait for itself")
        if self._joined != LoopThread._generation:
            self._join()
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Give the share back; the last one ends the thread."""
        with LoopThread._lock:
            if not self._open:
                return
            self._open = False
            if self._joined != LoopThread._generation:
                return
            LoopThread._shares -= 1
            if LoopThread._shares == 0:
                self._end()

    def _end(self) -> None:
        thread = LoopThread._thread
        LoopThread._thread = LoopThread._loop = None
        self.loop.call_soon_threadsafe(self.loop.stop)
        if thread is not None:
            thread.join()


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    """To its very end, here: whoever closes the last share may have a running loop of its own."""
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=LoopThread._begin_anew)


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """The result of `work()`, which blocks; in the present context. It never keeps the interpreter alive."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def tell(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def run() -> None:
        try:
            outcome = (context.run(work), None)
        except Exception as error:
            outcome = (None, error)  # type: ignore[assignment]  # one or the other
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, *outcome)

    threading.Thread(target=run, name="warmline-warm-up", daemon=True).start()
    return await future
