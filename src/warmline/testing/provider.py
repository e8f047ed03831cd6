"""A provider that does what a script says, and remembers everything that it made."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["HookEscaped", "HookFailed", "Outcome", "ScriptedProvider", "ScriptedResource"]


class Outcome(Enum):
    """What one call of a hook does."""

    OK = "ok"
    FALSE = "false"
    """Returns False: the polite way to fail."""
    ERROR = "error"
    """Raises `HookFailed`."""
    SLOW = "slow"
    """Succeeds after `slow_sec`."""
    NEVER = "never"
    """Hangs, and ends when it is cancelled. A thread cannot be: there it hangs for `slow_sec`, then raises
    `HookFailed`."""
    DEAF = "deaf"
    """Hangs for `slow_sec` whatever happens: a cancellation is ignored, the result comes late."""
    ESCAPE = "escape"
    """Raises `HookEscaped`, which `except Exception` does not catch."""


class HookFailed(RuntimeError):  # noqa: N818 - it names what happened
    """A hook that was scripted to fail."""


class HookEscaped(BaseException):
    """A hook that was scripted to fail in a way that only `except BaseException` sees."""


@dataclass(eq=False, slots=True)
class ScriptedResource:
    """What the provider makes. `alive` is the signal that pools look at (None: it says nothing); `closes` counts its
    closes."""

    serial: int
    alive: bool | None = True
    closes: int = 0
    owner: str | None = None
    history: list[str] = field(default_factory=list)


class ScriptedProvider:
    """Hooks for a pool: pass `provider.hooks()` as keyword arguments, `factory` included.

    Each hook follows its own script: outcomes are taken one by one, then `default` repeats. While `down` is True every
    creation fails at once. `latency_sec` is how long the factory takes when it is OK; the other hooks take no time.

    Args:
        sync: the hooks are plain functions, which the pool runs in threads: `latency_sec` and `slow_sec` are real
            seconds there, and virtual time stands still meanwhile.
        alive: what its resources say of themselves at first; None: nothing, like most clients.
    """

    def __init__(
        self, *, latency_sec: float = 0.0, slow_sec: float = 3.0, sync: bool = False, alive: bool | None = True
    ) -> None:
        self.latency_sec = latency_sec
        self.slow_sec = slow_sec
        self.sync = sync
        self.alive = alive
        self.down = False
        self.made: list[ScriptedResource] = []
        self.calls: list[str] = []
        self.most_at_once: int = 0
        self.default: dict[str, Outcome] = {}
        self._scripts: dict[str, deque[Outcome]] = {}
        self._creating = 0

    @property
    def open(self) -> list[ScriptedResource]:
        """Made and not closed."""
        return [resource for resource in self.made if not resource.closes]

    @property
    def closed_twice(self) -> list[ScriptedResource]:
        """Always empty, unless the pool is wrong."""
        return [resource for resource in self.made if resource.closes > 1]

    def script(self, hook: str, outcomes: Iterable[Outcome]) -> None:
        """What the next calls of `hook` (factory, warm, validate, keepalive, reset, close, active) do."""
        self._scripts.setdefault(hook, deque()).extend(outcomes)

    def count(self, hook: str) -> int:
        """How often `hook` was called."""
        return self.calls.count(hook)

    def hooks(self, *names: str) -> dict[str, Any]:
        """Keyword arguments for a pool: the factory, and the hooks named."""
        make = self._sync_hook if self.sync else self._async_hook
        hooks = {f"{name}_fn": make(name) for name in names}
        return {"factory": self._sync_factory if self.sync else self._async_factory} | hooks

    # --- async -----------------------------------------------------------------------------------------------------

    async def _async_factory(self) -> ScriptedResource:
        self._begin()
        try:
            await self._act("factory", self.latency_sec)
        finally:
            self._creating -= 1
        return self._make()

    def _async_hook(self, name: str) -> Callable[[ScriptedResource], Any]:
        async def hook(resource: ScriptedResource) -> bool:
            return await self._act(name, 0.0) and self._did(name, resource)

        return hook

    async def _act(self, name: str, latency_sec: float) -> bool:
        outcome = self._next(name)
        if outcome is Outcome.NEVER:
            await asyncio.get_running_loop().create_future()
        elif outcome is Outcome.DEAF:
            await _deaf_sleep(self.slow_sec)
        elif outcome is Outcome.SLOW:
            await asyncio.sleep(self.slow_sec)
        elif latency_sec:
            await asyncio.sleep(latency_sec)
        return _verdict(name, outcome)

    # --- sync ------------------------------------------------------------------------------------------------------

    def _sync_factory(self) -> ScriptedResource:
        self._begin()
        try:
            self._block("factory", self.latency_sec)
        finally:
            self._creating -= 1
        return self._make()

    def _sync_hook(self, name: str) -> Callable[[ScriptedResource], Any]:
        return lambda resource: self._block(name, 0.0) and self._did(name, resource)

    def _block(self, name: str, latency_sec: float) -> bool:
        outcome = self._next(name)
        if outcome in (Outcome.SLOW, Outcome.NEVER, Outcome.DEAF):  # a thread cannot be cancelled
            time.sleep(self.slow_sec)
        elif latency_sec:
            time.sleep(latency_sec)
        if outcome is Outcome.NEVER:
            raise HookFailed(f"{name} would hang for ever")
        return _verdict(name, outcome)

    # --- both ------------------------------------------------------------------------------------------------------

    def _next(self, name: str) -> Outcome:
        self.calls.append(name)
        if name == "factory" and self.down:
            return Outcome.ERROR
        script = self._scripts.get(name)
        return script.popleft() if script else self.default.get(name, Outcome.OK)

    def _begin(self) -> None:
        self._creating += 1
        self.most_at_once = max(self.most_at_once, self._creating)

    def _make(self) -> ScriptedResource:
        resource = ScriptedResource(len(self.made), self.alive)
        self.made.append(resource)
        return resource

    def _did(self, name: str, resource: ScriptedResource) -> bool:
        resource.history.append(name)
        resource.closes += name == "close"
        return True


def _verdict(name: str, outcome: Outcome) -> bool:
    if outcome is Outcome.ERROR:
        raise HookFailed(f"{name} failed")
    if outcome is Outcome.ESCAPE:
        raise HookEscaped(f"{name} escaped")
    return outcome is not Outcome.FALSE


async def _deaf_sleep(seconds: float) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            continue
