"""The body of a response, and the moment at which its connection goes back."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from warmline.connections.http.dialect import Dialect
    from warmline.connections.http.phases import PhaseTrace

__all__ = ["body_of"]


class _Body:
    """Passes bytes on. Not a generator: whoever stops reading leaves it intact, and the rest can still be read.

    `finish(complete)` is called exactly once: complete, and the connection can carry the next request. A body that
    nobody holds any more, though it was neither read to its end nor closed, is given up: `drop` is called instead.
    """

    def __init__(
        self,
        dialect: Dialect,
        stream: Any,
        trace: PhaseTrace,
        finish: Callable[[bool], Awaitable[None]],
        linger: Callable[[Any], Awaitable[None]],
        drop: Callable[[], None],
    ) -> None:
        self._dialect = dialect
        self._stream = stream
        self._parts = aiter(stream)
        self._trace = trace
        self._finish = finish
        self._linger = linger
        self._state = "open"
        self._reading = False
        self._dropped = weakref.finalize(self, _from_any_thread, asyncio.get_running_loop(), drop)
        self._dropped.atexit = False

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        if self._state != "open":
            raise StopAsyncIteration
        return await self._next()

    async def _next(self) -> bytes:
        self._reading = True
        try:
            with self._dialect.translated():
                part: bytes = await anext(self._parts)
        except StopAsyncIteration:
            self._trace.ended()
            await self._close(complete=True)
            raise
        except BaseException:
            await self._close(complete=False)
            raise
        finally:
            self._reading = False
        self._trace.first_byte()
        return part

    async def aclose(self) -> None:
        """The reader has gone. What is left of the body is read in the background, if it comes soon.

        While another task waits for the next part, the connection is closed under it, as httpx would.
        """
        if self._state == "open":
            self._state = "abandoned"
            await (self._stream.aclose() if self._reading else self._linger(self))

    async def drain(self, limit_sec: float) -> None:
        """Read on to the end of the body for at most `limit_sec`; after that the connection is lost."""
        try:
            async with asyncio.timeout(limit_sec):
                while True:
                    await self._next()
        except (StopAsyncIteration, TimeoutError, RuntimeError, self._dialect.httpx.HTTPError):
            pass
        finally:
            await self._close(complete=False)

    async def _close(self, *, complete: bool) -> None:
        if self._state == "closed":
            return
        self._state = "closed"
        self._dropped.detach()
        try:
            with contextlib.suppress(RuntimeError):  # it is being closed by the garbage collection of its reader
                await self._parts.aclose()
            await self._stream.aclose()
        finally:
            await self._finish(complete)


def _from_any_thread(loop: asyncio.AbstractEventLoop, drop: Callable[[], None]) -> None:
    """Garbage is collected wherever it is found; nothing is left to be given back on a loop that has ended."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(drop)


@functools.cache
def _class_for(dialect: Dialect) -> type[_Body]:
    """httpx accepts only streams that derive from its own class."""
    return type("WarmBody", (_Body, dialect.httpx.AsyncByteStream), {})


def body_of(
    dialect: Dialect,
    stream: Any,
    trace: PhaseTrace,
    finish: Callable[[bool], Awaitable[None]],
    linger: Callable[[Any], Awaitable[None]],
    drop: Callable[[], None],
) -> _Body:
    """The body that httpx is given for httpcore's `stream`."""
    return _class_for(dialect)(dialect, stream, trace, finish, linger, drop)
