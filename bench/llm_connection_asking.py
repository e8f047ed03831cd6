"""What a client is asked, and how long it takes to the first words. Runs in each arm's own environment."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

__all__ = ["Arm", "Asked", "Client", "Turn", "length_of", "messages_of"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One request. `ending`: read to its end, closed after the first words, or cancelled while they are awaited."""

    system_prompt: str
    ending: Literal["complete", "close", "cancel"] = "complete"
    cancel_after_sec: float = 0.0


class Client(Protocol):
    """A client that is asked."""

    async def ask(self, turn: Turn) -> float:
        """Milliseconds to the first words; for a turn that is cancelled, to its cancellation."""
        ...

    def renew_key(self, key: str) -> None:
        """From now on, this key."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


# Opens a client for an endless conversation with this system prompt and as many calls at once.
Arm = Callable[[str, str, int], Awaitable[Client]]


class Asked:
    """What all clients share: the clock, and the three endings."""

    async def ask(self, turn: Turn) -> float:
        began_sec = time.perf_counter()
        if turn.ending != "cancel":
            return await self._first_words(turn, began_sec)
        task = asyncio.create_task(self._first_words(turn, began_sec))
        await asyncio.sleep(turn.cancel_after_sec)
        task.cancel()
        await asyncio.wait([task])
        return 1e3 * (time.perf_counter() - began_sec)

    async def _first_words(self, turn: Turn, began_sec: float) -> float:
        first_ms = None
        async with contextlib.aclosing(self._words(turn)) as words:
            async for _ in words:
                if first_ms is None:
                    first_ms = 1e3 * (time.perf_counter() - began_sec)
                if turn.ending == "close":
                    break
        if first_ms is None:
            raise RuntimeError("an answer without words")
        return first_ms

    def _words(self, turn: Turn) -> Any:
        raise NotImplementedError


def messages_of(turn: Turn) -> list[dict[str, str]]:
    """What is asked."""
    return [
        {"role": "system", "content": turn.system_prompt},
        {"role": "user", "content": "what are your opening hours"},
    ]


def length_of(turn: Turn) -> Mapping[str, int]:
    """An answer that is broken off has much more to come; one that is read to its end is short."""
    return {"max_completion_tokens": 4} if turn.ending == "complete" else {}
