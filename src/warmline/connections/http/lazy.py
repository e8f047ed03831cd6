"""A client that is made when it is first asked for, and then made warm."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from warmline.connections.http.warm import transport_of, warm

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
        """A step of your startup: make the client now and wait until its connections stand. False: not in time."""
        return bool(await transport_of(self()).wait_warm(timeout=timeout))

    async def aclose(self) -> None:
        """Close the warm copy, if it was ever made; the next call makes another."""
        with self._lock:
            client: Any = self._client
            self._client = None
        if client is not None:
            await (client.close() if hasattr(client, "base_url") and hasattr(client, "models") else client.aclose())


def warm_getter(get_client: Callable[[], C], **options: Any) -> WarmGetter[C]:
    """A lazy getter whose client is warm, and which stays lazy: nothing is made until it is called.

        get_client = warm_getter(get_client)      # in place of the old one; for asynchronous clients
        await get_client.warm_up()                # optional: at startup, else with the first use

    Args:
        get_client: returns an asynchronous client; called once.
        options: those of `warm`.
    """
    return WarmGetter(get_client, options)
