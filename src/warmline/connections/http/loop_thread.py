"""One event loop in a daemon thread, for all synchronous clients of the process; it ends with the last of them."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LoopThread", "in_daemon_thread"]

T = TypeVar("T")


class LoopThread:
    """A share in the one thread. Safe from any thread but its own."""

    _lock = threading.Lock()
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _shares = 0

    def __init__(self) -> None:
        self._open = True
        cls = LoopThread
        with cls._lock:
            if cls._loop is None:
                cls._loop = asyncio.new_event_loop()
                cls._thread = threading.Thread(target=cls._loop.run_forever, name="warmline-connections", daemon=True)
                cls._thread.start()
            cls._shares += 1
            self.loop: asyncio.AbstractEventLoop = cls._loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which runs on the loop; interrupted here, it is cancelled there.

        Raises:
            RuntimeError: the share was given back, or this is the loop's own thread, which would wait for itself.
        """
        if not self._open or threading.current_thread() is LoopThread._thread:
            work.close()
            raise RuntimeError("the client has been closed" if not self._open else "this would wait for itself")
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
            LoopThread._shares -= 1
            if LoopThread._shares == 0:
                self._end()

    def _end(self) -> None:
        thread, loop = LoopThread._thread, self.loop
        LoopThread._thread = LoopThread._loop = None
        loop.call_soon_threadsafe(loop.stop)
        if thread is not None:
            thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


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
