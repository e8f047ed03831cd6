"""Connections that requests have opened themselves, while the pool had given up on connecting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Leftovers"]


class Leftovers:
    """Those that are idle, for the next request, or for the pool. `close` begins to close one."""

    def __init__(self, close: Callable[[Any], None]) -> None:
        self._close = close
        self._idle: list[Any] = []

    def leave(self, connection: Any, intact: bool) -> None:
        """Its request is over."""
        if intact and not connection.alive.done():
            self._idle.append(connection)
        else:
            self._close(connection)

    def take(self) -> Any:
        """One that still lives; None if there is none."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.alive.done():
                return connection
            self._close(connection)
        return None

    def clear(self) -> None:
        """The pool is full of its own."""
        while (connection := self.take()) is not None:
            self._close(connection)
