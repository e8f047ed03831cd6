"""A client that is made when it is first asked for, and then made warm."""

from __future__ import annotations

import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from warmline.connections.http.loop_thread import in_daemon_thread
from warmline.connections.http.warm import transport_of, warm
from warmline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WarmGetter", "warm_getter"]

C = TypeVar("C")


class WarmGetter(Generic[C]):
    """Takes the place of a module's `get_client()`; see `warm_getter`."""

    def __init__(self, get_client: Callable[[], C], options: dict[str, Any]) -> None:
        self._get_client = get_client
        self._options = options
        self._client: C | None = None
        self._lock = threading.Lock()

    def __call__(self) -> C:
        """The warm copy, made at the first call; safe from any thread."""
        with self._lock:
            if self._client is None:
                self._client = warm(self._get_client(), **self._options)
            return self._client

    async def warm_up(self, timeout: float = 10.0) -> bool:
        """A step of your startup: make the client now and wait until its connections stand. False: not in time.

        That of a synchronous client waits in a thread of its own.
        """
        wait_warm = functools.partial(transport_of(self()).wait_warm, timeout=timeout)
        return bool(await _outcome(wait_warm))

    async def aclose(self) -> None:
        """Close the warm copy, if it was ever made; the next call makes another.

        What `get_client` itself returned stays open: it may be a module's, for others to use.
        """
        client = self._taken()
        if client is not None:
            await _outcome(getattr(client, "aclose", None) or client.close)

    def close(self) -> None:
        """`aclose`, of a synchronous client.

        Raises:
            ConfigError: the client is asynchronous.
        """
        if self._client is not None and hasattr(self._client, "__aenter__"):
            raise ConfigError("an asynchronous client is closed with `await get_client.aclose()`")
        client = self._taken()
        if client is not None:
            client.close()

    def _taken(self) -> Any:
        with self._lock:
            client, self._client = self._client, None
            return client


async def _outcome(call: Callable[[], Any]) -> Any:
    """Of a coroutine function, awaited; of one that blocks, from a thread."""
    function = call.func if isinstance(call, functools.partial) else call
    return await (call() if inspect.iscoroutinefunction(function) else in_daemon_thread(call))


def warm_getter(get_client: Callable[[], C], **options: Any) -> WarmGetter[C]:
    """A lazy getter whose client is warm, and which stays lazy: nothing is made until it is called.

        get_client = warm_getter(get_client)      # in place of the old one
        await get_client.warm_up()                # optional: at startup, else with the first use

    Args:
        get_client: returns a client of any kind that `warm` takes; called once.
        options: those of `warm`.
    """
    return WarmGetter(get_client, options)
