"""A maximum that several pools share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Capacity"]


class Capacity:
    """How many resources may live in all pools of a group together.

    `on_freed` is called when a place becomes free, `on_short` when a caller could be served were there one, or when a
    spare appears that might have to make room for one; `callers_waiting` tells how many callers, of all pools, wait.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self.live: int = 0
        self.on_freed: Callable[[], None] = lambda: None
        self.on_short: Callable[[], None] = lambda: None
        self.callers_waiting: Callable[[], int] = lambda: 0

    def has_room(self) -> bool:
        """True while one more resource may live."""
        return self.live < self.max_size

    def has_room_for_refill(self) -> bool:
        """True while a place is left that no caller waits for."""
        return self.max_size - self.live > self.callers_waiting()

    def take(self) -> None:
        """One more lives."""
        self.live += 1

    def give_back(self) -> None:
        """One fewer lives."""
        self.live -= 1
        self.on_freed()

    def spare_appeared(self) -> None:
        """A pool has one resource more that nobody uses."""
        if not self.has_room() and self.callers_waiting():
            self.on_short()
