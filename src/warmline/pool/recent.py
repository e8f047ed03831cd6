"""Telling a late release from a foreign one: what the pool closed not long ago."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import Any

__all__ = ["RecentlyClosed"]

REMEMBERED = 1024


class RecentlyClosed:
    """The last closed resources by identity, without keeping them alive.

    What cannot be weakly referenced is known by its identity alone: another object in the same place may pass for it,
    and its release is then called late instead of foreign.
    """

    def __init__(self) -> None:
        self._closed: OrderedDict[int, weakref.ref[Any] | None] = OrderedDict()

    def add(self, resource: Any) -> None:
        """`resource` is being closed."""
        try:
            self._closed[id(resource)] = weakref.ref(resource)
        except TypeError:
            self._closed[id(resource)] = None
        if len(self._closed) > REMEMBERED:
            self._closed.popitem(last=False)

    def __contains__(self, resource: object) -> bool:
        if id(resource) not in self._closed:
            return False
        reference = self._closed[id(resource)]
        return reference is None or reference() is resource
