"""Calls that block, each in a daemon thread of its own: one that hangs is left behind and keeps no process alive."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

from warmline.errors import CredentialUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

__all__ = ["DaemonCalls"]

MAX_HANGING = 4


class DaemonCalls:
    """Runs calls off the loop. A thread cannot be ended: at most `MAX_HANGING` are left behind at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running = 0
        self._lock = threading.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises. When cancelled, the call runs on and its result is dropped.

        Raises:
            CredentialUnreachable: too many earlier calls still hang.
        """
        with self._lock:
            if self._running > MAX_HANGING:
                raise CredentialUnreachable(f"{self._running} earlier requests still hang")
            self._running += 1
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        threading.Thread(target=self._work, args=(loop, call, result), name=self._name, daemon=True).start()
        # Virtual time stands still while a thread works.
        hold, release = getattr(loop, "hold_time", _nothing), getattr(loop, "release_time", _nothing)
        hold()
        try:
            return await result
        finally:
            release()

    def _work(self, loop: asyncio.AbstractEventLoop, call: Callable[[], T], result: asyncio.Future[T]) -> None:
        try:
            value, error = call(), None
        except BaseException as raised:
            value, error = None, raised
        with self._lock:
            self._running -= 1
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            loop.call_soon_threadsafe(_settle, result, value, error)


def _settle(result: asyncio.Future[T], value: T | None, error: BaseException | None) -> None:
    if result.done():
        return
    if error is not None:
        result.set_exception(error)
    else:
        result.set_result(value)  # type: ignore[arg-type]  # None only when it is what the call returned


def _nothing() -> None:
    pass
