"""Looks whether a model that failed is back, by itself and for free."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from warmline.engines.openai.availability import Availability
from warmline.engines.openai.trouble import Trouble

__all__ = ["ModelWatch"]

_log = logging.getLogger("warmline.engines.openai")


class ModelWatch:
    """Sleeps while all is well; after a failure, or on a suspicion, it runs `check`, with growing pauses until that
    finds no trouble.
    """

    def __init__(self, check: Callable[[], Awaitable[Trouble | None]], availability: Availability) -> None:
        self._check = check
        self._availability = availability
        self._awake = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._suspicious = False
        self._told: str | None = None
        self._was_well = False

    def start(self) -> None:
        """On the running loop. Harmless when called twice."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="language model watch")

    async def aclose(self) -> None:
        """End it."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    async def look(self) -> Trouble | None:
        """Check now; what is wrong, if anything."""
        trouble = await self._check()
        if trouble is None:
            self._availability.check_passed()
        else:
            self._availability.check_failed(trouble)
        self._noted()
        return self._availability.trouble

    def failed(self, trouble: Trouble) -> None:
        """A request failed."""
        self._availability.failed(trouble)
        self._noted()

    def answered(self) -> None:
        """A request was answered."""
        self._availability.answered()
        self._noted()

    def suspect(self) -> None:
        """Something speaks against the next request: look, in the background."""
        self._suspicious = True
        self.start()
        self._awake.set()

    async def _watch(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            if self._suspicious:
                self._suspicious = False
                await self.look()
            while self._availability.trouble is not None:
                await asyncio.sleep(self._availability.pause_sec())
                if self._availability.trouble is not None:  # a turn may have been answered meanwhile
                    await self.look()

    def _noted(self) -> None:
        trouble = self._availability.trouble
        if trouble is not None:
            self.start()
            self._awake.set()
        self._tell(None if trouble is None else trouble.why)

    def _tell(self, why: str | None) -> None:
        """Once a change. What is wrong at the start is said by the start itself."""
        if why != self._told and self._was_well:
            _log.warning("the language model %s", why or "may be asked again")
        self._told = why
        self._was_well = self._was_well or why is None
