"""Imports that no garbage collection walks."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """What is imported in here stays until the end: no collection walks it, neither meanwhile nor later.

    They took a tenth of the time of the command's own imports.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        gc.freeze()
