"""Who hears of another token: pools that hold what was made with the old one, and live objects that carry it."""

from __future__ import annotations

import asyncio
import inspect
import logging
import weakref
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from warmline.credentials.token import Token

__all__ = ["Rotatable", "Rotations", "Subscription"]

T = TypeVar("T")
logger: logging.Logger = logging.getLogger("warmline.credentials")

DELIVERY_TIMEOUT_SEC = 30.0


class Rotatable(Protocol):
    """A pool: `rotate()` replaces its spares at once and its leased resources at their release."""

    async def rotate(self) -> Any:
        """What was made so far is of the past."""
        ...


class Subscription:
    """One that hears of every other token; ends with `cancel()`."""

    def __init__(self, tell: Callable[[Token], Any], leave: Callable[[Subscription], None], *, first: bool) -> None:
        self.first: bool = first
        self._tell = tell
        self._leave = leave
        self._latest: Token | None = None
        self._told = 0
        self._one_at_a_time = asyncio.Lock()

    def cancel(self) -> None:
        """Hear no more. Harmless when called twice."""
        self._leave(self)

    def first_token(self, token: Token) -> Awaitable[Any] | None:
        """Tell of the token at hand; what is left to await, if anything."""
        self._told = token.epoch
        told = self._tell(token)
        return told if inspect.isawaitable(told) else None

    async def finish(self, told: Awaitable[Any]) -> None:
        """Await it, before any other is told."""
        async with self._one_at_a_time, asyncio.timeout(DELIVERY_TIMEOUT_SEC):
            await told

    async def deliver(self, token: Token) -> None:
        """Tell of `token`, one at a time; of those that came meanwhile, the last alone."""
        self._latest = token
        async with self._one_at_a_time:
            latest = self._latest
            if latest.epoch <= self._told:
                return
            self._told = latest.epoch
            told = self._tell(latest)
            if inspect.isawaitable(told):
                async with asyncio.timeout(DELIVERY_TIMEOUT_SEC):
                    await told


class Rotations:
    """All that hear of another token."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._subscriptions: list[Subscription] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed: int = 0

    def subscribe(self, tell: Callable[[Token], Any], *, first: bool = False) -> Subscription:
        """`tell` is called on the keeper's loop, or awaited if it is a coroutine function; of the `first` token too."""
        subscription = Subscription(tell, self._leave, first=first)
        self._subscriptions.append(subscription)
        return subscription

    def push_to(self, live: T, put: Callable[[T, str], Any], at_once: Token | None) -> Subscription:
        """`put(live, value)` for as long as `live` exists; it is not kept alive."""
        reference = weakref.ref(live)

        def tell(token: Token) -> Any:
            target = reference()
            return None if target is None else put(target, token.value)

        subscription = self.subscribe(tell, first=True)
        weakref.finalize(live, subscription.cancel).atexit = False
        told = None if at_once is None else subscription.first_token(at_once)
        if told is not None:
            task = asyncio.get_running_loop().create_task(self._reported(subscription.finish(told)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return subscription

    async def aclose(self) -> None:
        """End what is still being told."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._subscriptions)

    def deliver(self, token: Token, tasks: asyncio.TaskGroup) -> None:
        """Tell everybody, each in a task of its own: none waits for another, and no refresh waits for any."""
        for subscription in tuple(self._subscriptions):
            if token.epoch == 1 and not subscription.first:
                continue
            tasks.create_task(self._reported(subscription.deliver(token)))

    async def _reported(self, telling: Coroutine[Any, Any, None]) -> None:
        try:
            await telling
        except Exception as error:
            self.failed += 1
            # The type alone: what it says may quote the token.
            logger.warning("%s: a subscriber failed with %s on a token's rotation", self._name, type(error).__name__)

    def _leave(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
