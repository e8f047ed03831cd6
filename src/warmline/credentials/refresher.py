"""The background half of a keeper: dozes, fetches, tells. What it does, `KeptToken` has decided."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
from typing import TYPE_CHECKING

from warmline.credentials.fetching import Fetcher, failed_source
from warmline.credentials.kept import KeptToken
from warmline.credentials.redaction import forget_frames
from warmline.credentials.rotation import Rotations
from warmline.credentials.waiters import Waiters
from warmline.errors import CredentialError
from warmline.events import TokenRefreshed, TokenRefreshFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.clock import Clock
    from warmline.credentials.source import RefreshPolicy, TokenSource
    from warmline.credentials.token import IssuedToken, Token
    from warmline.events import Event

__all__ = ["Refresher"]

logger: logging.Logger = logging.getLogger("warmline.credentials")

LOOK_SEC = 5.0
"""Longest doze: a machine that slept is noticed within it, or by the next who asks for the token."""


class Refresher:
    """Owns the state, its lock, and everybody who is told. `kept` is touched under `lock` alone, for microseconds."""

    def __init__(
        self,
        name: str,
        source: TokenSource,
        policy: RefreshPolicy,
        clock: Clock,
        wall: Callable[[], float],
        on_event: Callable[[Event], None] | None,
    ) -> None:
        self.name: str = name
        self.clock: Clock = clock
        self.lock: threading.Lock = threading.Lock()
        self.kept: KeptToken = KeptToken(policy, clock.jitter)
        self.waiters: Waiters = Waiters()
        self.rotations: Rotations = Rotations(name)
        self.ended: int = 0
        self._wall = wall
        self._source = source
        self._fetcher = Fetcher(source, policy.fetch_timeout_sec)
        self._on_event = on_event
        self._nudged = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._nudged.clear()
                self.at_hand()
                with self.lock:
                    wait_sec = self.kept.due_in_sec(self.clock.now())
                if wait_sec > 0:
                    await self._doze(wait_sec)
                else:
                    await self._refresh(tasks)

    async def aclose(self) -> None:
        """After `run` has ended: close the source, and tell who waits."""
        await self.rotations.aclose()
        await self._fetcher.aclose()
        self.waiters.wake()

    def at_hand(self) -> Token | None:
        """What may be served now. From any thread."""
        with self.lock:
            now = self.clock.now()
            slept = self.kept.observe(now, self._wall())
            token = self.kept.servable(now)
        if slept:
            self.nudge()
        return token

    def nudge(self) -> None:
        """Something may be due. From any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._nudged.set)

    async def _doze(self, wait_sec: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if wait_sec == math.inf else min(wait_sec, LOOK_SEC)):
                await self._nudged.wait()

    async def _refresh(self, tasks: asyncio.TaskGroup) -> None:
        with self.lock:
            self.kept.begin()
            number, stale = self.kept.counters.fetches, self.kept.source_is_stale
            self.kept.source_is_stale = False
        began = self.clock.now()
        try:
            if stale:
                self._source.renew()
            self._succeeded(await self._fetcher.fetch(), began, tasks)
        except CredentialError as error:
            self._failed(error)
        except Exception as error:  # a source with a bug must not end the refreshing
            self._failed(failed_source(error))
        finally:
            self.ended = number
            with self.lock:
                self.kept.fetching = False
                self.kept.counters.hung = self._fetcher.hung
            self.waiters.wake()

    def _succeeded(self, issued: IssuedToken, began: float, tasks: asyncio.TaskGroup) -> None:
        with self.lock:
            now, wall = self.clock.now(), self._wall()
            self.kept.observe(now, wall)
            another = self.kept.succeeded(issued, began=began, now=now, wall=wall)
            token, lasts_sec = self.kept.token, self.kept.lasts_sec(now)
        if not another or token is None:
            return
        logger.info("%s: token %d, good for %.0f s", self.name, token.epoch, lasts_sec)
        took_ms = (now - began) * 1000
        self._emit(
            TokenRefreshed(at_sec=now, credential=self.name, epoch=token.epoch, took_ms=took_ms, lasts_sec=lasts_sec)
        )
        self.rotations.deliver(token, tasks)

    def _failed(self, error: CredentialError) -> None:
        forget_frames(error)
        with self.lock:
            now = self.clock.now()
            self.kept.failed(error, now)
            failures, lasts_sec, again_sec = self.kept.failures, self.kept.lasts_sec(now), self.kept.due_in_sec(now)
        # Every failure for who debugs, the 1st, 2nd, 4th, 8th for who operates.
        level = logging.DEBUG if failures & (failures - 1) else logging.WARNING
        logger.log(
            level, "%s: %s; the token at hand lasts %.0f s, next try in %.1f s", self.name, error, lasts_sec, again_sec
        )
        kind = type(error).__name__
        self._emit(
            TokenRefreshFailed(at_sec=now, credential=self.name, error=kind, failures=failures, lasts_sec=lasts_sec)
        )

    def _emit(self, event: Event) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception as error:
            logger.warning("%s: who was told of an event failed with %s", self.name, type(error).__name__)
