"""Host names, resolved before anyone waits for them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmline.clock import SystemClock

if TYPE_CHECKING:
    from warmline.clock import Clock

__all__ = ["ResolvedNames"]

Key = tuple[str, int]
REFRESH_AT = 0.5  # of the time to live: whoever looks after that gets the old answer and sets off a new lookup


@dataclass(frozen=True, slots=True)
class _Answer:
    addresses: tuple[str, ...]
    at_sec: float


class ResolvedNames:
    """Remembers addresses for `ttl_sec` and refreshes them ahead, in the background, while they are looked at.

    `getaddrinfo` tells no time to live, hence one of our own. One lookup a name at a time. An old answer outlives
    lookups that fail; `forget` a name when none of its addresses can be reached any more.
    """

    def __init__(self, ttl_sec: float = 60.0, clock: Clock | None = None) -> None:
        self._ttl_sec = ttl_sec
        self._clock: Clock = clock or SystemClock()
        self._answers: dict[Key, _Answer] = {}
        self._lookups: dict[Key, asyncio.Task[tuple[str, ...]]] = {}
        self.lookups: int = 0

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """IP addresses of `host`, in the order in which to try them.

        Raises:
            OSError: it cannot be resolved, and never was.
        """
        if _is_address(host):
            return (host,)
        answer = self.refresh_ahead(host, port)
        if answer is not None:
            return answer.addresses
        return await asyncio.shield(self._lookup((host, port)))

    def refresh_ahead(self, host: str, port: int) -> _Answer | None:
        """The answer at hand, if it may still be used; begins another lookup once this one is getting old."""
        key = (host, port)
        answer = None if _is_address(host) else self._answers.get(key)
        if answer is not None and self._clock.now() - answer.at_sec >= REFRESH_AT * self._ttl_sec:
            self._lookup(key)
        return answer

    def forget(self, host: str, port: int) -> None:
        """The next caller waits for a fresh lookup."""
        self._answers.pop((host, port), None)

    async def aclose(self) -> None:
        """End lookups that still run."""
        lookups = list(self._lookups.values())
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)

    def _lookup(self, key: Key) -> asyncio.Task[tuple[str, ...]]:
        task = self._lookups.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._resolve(key), name=f"resolve-{key[0]}")
            self._lookups[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def _resolve(self, key: Key) -> tuple[str, ...]:
        self.lookups += 1
        found = await asyncio.get_running_loop().getaddrinfo(*key, type=socket.SOCK_STREAM)
        addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        self._answers[key] = _Answer(addresses, self._clock.now())
        return addresses

    def _ended(self, key: Key, task: asyncio.Task[tuple[str, ...]]) -> None:
        self._lookups.pop(key, None)
        if not task.cancelled():
            task.exception()  # looked at: whoever waits hears of it, and a refresh may fail


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
