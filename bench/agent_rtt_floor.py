"""Who may use the processor: on two cores, one agent at a time starts or converses, and the others are silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Floor"]


class Floor:
    """A lock that its holder may also give and take back from code that cannot wait; who takes it back goes first."""

    def __init__(self) -> None:
        self._holder: object = None
        self._returning: set[object] = set()
        self._given = asyncio.Event()

    @asynccontextmanager
    async def held(self, who: object) -> AsyncIterator[None]:
        """Wait for it; at the end of the block it is not `who`'s any more."""
        while self._holder is not None or self._returning:
            self._given.clear()
            await self._given.wait()
        self._holder = who
        try:
            yield
        finally:
            self._returning.discard(who)
            self.give(who)

    def give(self, who: object) -> None:
        """Let others have it for a while."""
        if self._holder is who:
            self._holder = None
        self._given.set()

    def take_back(self, who: object) -> bool:
        """Whether `who` has it again; to be asked until it has."""
        if self._holder is None:
            self._holder = who
            self._returning.discard(who)
        elif self._holder is not who:
            self._returning.add(who)
        return self._holder is who
