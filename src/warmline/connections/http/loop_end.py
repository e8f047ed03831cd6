"""What was begun on an event loop ends with it: `asyncio.run` cancels a task that then closes everything."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import weakref
from typing import Protocol

__all__ = ["Closable", "begun", "end_soon", "ended"]


class Closable(Protocol):
    """Something that lives on one event loop. Closing it twice is harmless."""

    async def aclose(self) -> None:
        """Release everything. Awaits `ended`."""
        ...


class _Guard:
    """One loop's task that waits to be cancelled, and what it closes then."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.open: set[Closable] = set()
        self.closing: set[asyncio.Task[None]] = set()
        # In a context of its own: nothing of whoever happened to come first is kept alive.
        self.task = loop.create_task(self._wait(), name="warmline-loop-end", context=contextvars.Context())

    async def _wait(self) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            for each in tuple(self.open):
                await each.aclose()
            await asyncio.gather(*self.closing, return_exceptions=True)
            loop = asyncio.get_running_loop()
            if _guards.get(loop) is self:  # a finished task still refers to its loop
                del _guards[loop]


_guards: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Guard] = weakref.WeakKeyDictionary()


def begun(thing: Closable) -> None:
    """`thing` lives on the running loop from now on."""
    for past in [loop for loop in tuple(_guards) if loop.is_closed()]:  # closed without a cancellation
        del _guards[past]
    loop = asyncio.get_running_loop()
    guard = _guards.get(loop)
    if guard is None or guard.task.cancelling() or guard.task.done():
        guard = _guards[loop] = _Guard(loop)
    guard.open.add(thing)


async def ended(thing: Closable) -> None:
    """`thing` is closed; the last one ends the guard."""
    guard = _guards.get(asyncio.get_running_loop())
    if guard is None:
        return
    guard.open.discard(thing)
    if not guard.open and not guard.task.cancelling():
        guard.task.cancel()
        if asyncio.current_task() not in {guard.task, *guard.closing}:
            await asyncio.wait({guard.task})


def end_soon(loop: weakref.ref[asyncio.AbstractEventLoop], thing: weakref.ref[Closable]) -> None:
    """Whoever used `thing` was dropped without closing it. From any thread, at any moment."""
    its_loop = loop()
    if its_loop is not None and not its_loop.is_closed():
        with contextlib.suppress(RuntimeError):  # it closes just now
            its_loop.call_soon_threadsafe(_end, thing)


def _end(thing: weakref.ref[Closable]) -> None:
    dropped, loop = thing(), asyncio.get_running_loop()
    guard = _guards.get(loop)
    if dropped is None or guard is None or dropped not in guard.open:
        return
    task = loop.create_task(dropped.aclose(), name="warmline-dropped")
    guard.closing.add(task)
    task.add_done_callback(guard.closing.discard)
