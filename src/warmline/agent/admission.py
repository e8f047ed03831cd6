"""How many calls are live, and whether there is room for another."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Admission", "AllLinesBusy"]


class AllLinesBusy(Exception):  # noqa: N818 - what a caller is told
    """No line is free."""


class Admission:
    """Counts calls up to `max_calls`."""

    def __init__(self, max_calls: int) -> None:
        self.max_calls = max_calls
        self.active: int = 0

    @contextmanager
    def line(self) -> Iterator[int]:
        """Hold one line; yields how many are in use.

        Raises:
            AllLinesBusy: all are.
        """
        if self.active >= self.max_calls:
            raise AllLinesBusy
        self.active += 1
        try:
            yield self.active
        finally:
            self.active -= 1
