"""Leaving without hanging up: no further call is taken, live ones go on until they end or the grace is over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from warmline.clock import SystemClock
from warmline.errors import ConfigError, Draining

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from warmline.clock import Clock

__all__ = ["Drain"]

_log = logging.getLogger("warmline.health")


class Drain:
    """Counts live calls, refuses further ones once it has begun, and says when the last has ended.

    Args:
        grace_sec: how long live calls may go on after `begin`.
        on_begin: is called once, when it begins.
    """

    def __init__(
        self,
        *,
        grace_sec: float = 60.0,
        on_begin: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self.grace_sec: float = grace_sec
        self.live: int = 0
        self.begun_sec: float | None = None
        self._on_begin = [on_begin]
        self._clock: Clock = clock or SystemClock()
        self._begun = asyncio.Event()
        self._over = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether calls are refused."""
        return self.begun_sec is not None

    @property
    def left_sec(self) -> float:
        """What is left of the grace; all of it before the beginning."""
        if self.begun_sec is None:
            return self.grace_sec
        return max(0.0, self.begun_sec + self.grace_sec - self._clock.now())

    def when_begun(self, tell: Callable[[], None]) -> None:
        """`tell` is called when it begins."""
        self._on_begin.append(tell)

    def begin(self) -> None:
        """Refuse calls from now on. Once more: the grace is over."""
        if self.begun:
            self.cut()
            return
        self.begun_sec = self._clock.now()
        self._begun.set()
        self._end_if_empty()
        for tell in self._on_begin:
            try:
                tell()
            except Exception:
                _log.exception("whoever was to be told of the drain failed")

    def cut(self) -> None:
        """Do not wait any longer; `finished` returns."""
        self._over.set()

    @contextmanager
    def call(self) -> Iterator[None]:
        """One live call, from its admission to its end.

        Raises:
            Draining: no further call is taken.
        """
        if self.begun:
            raise Draining("the server is shutting down")
        self.live += 1
        try:
            yield
        finally:
            self.live -= 1
            if not self.live:
                self._emptied.set()
            self._end_if_empty()

    async def finished(self) -> int:
        """Wait until it has begun and the last call has ended, or the grace is over; how many calls are still live."""
        await self._begun.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.left_sec):
                await self._over.wait()
        return self.live

    async def empty(self) -> None:
        """Wait until no call is live."""
        while self.live:
            self._emptied.clear()
            await self._emptied.wait()

    @asynccontextmanager
    async def on_sigterm(self, then: Callable[[], None] | None = None) -> AsyncIterator[None]:
        """Begin at SIGTERM; when all calls have ended call `then`, by default what handled SIGTERM before (uvicorn).

        A second SIGTERM ends the grace. Outside of the main thread nothing is handled.

        Raises:
            ConfigError: there is no `then`, and what handled SIGTERM is the loop's own (`add_signal_handler`). That can
                be replaced, but neither called nor put back.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        if loop.remove_signal_handler(signal.SIGTERM) and then is None:
            raise ConfigError("the event loop handles SIGTERM already: say in `then` what is to happen after the drain")
        before = signal.getsignal(signal.SIGTERM)
        called = asyncio.Event()

        def on_signal() -> None:
            called.set()
            self.begin()

        loop.add_signal_handler(signal.SIGTERM, on_signal)
        waiting = asyncio.create_task(self._then(called, then or (lambda: _handle(before))), name="drain")
        try:
            yield
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})
            loop.remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, before)

    async def _then(self, called: asyncio.Event, then: Callable[[], None]) -> None:
        await called.wait()
        if left := await self.finished():
            _log.warning("the grace of %g s is over with %d live calls", self.grace_sec, left)
        then()

    def _end_if_empty(self) -> None:
        if self.begun and self.live == 0:
            self._over.set()


def _handle(before: object) -> None:
    """As if SIGTERM came now, without us."""
    if callable(before):
        before(signal.SIGTERM, None)
    elif before is not signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
