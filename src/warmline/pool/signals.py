"""What a resource says of itself: `alive`, and `clear_session_state()`."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["alive_signal", "clear_hook", "clear_session_state"]


async def clear_session_state(resource: Any) -> Any:
    """The reset of a resource whose own is a coroutine."""
    return await resource.clear_session_state()


def clear_hook(resource: Any) -> Callable[[], object] | None:
    """The resource's own reset, if it has one."""
    clear = getattr(resource, "clear_session_state", None)
    return clear if callable(clear) else None


def alive_signal(resource: Any, died: Callable[[], None]) -> Callable[[], bool] | None:
    """How `resource` says that it lives: `alive` as a bool, a method, or a future that is done when it died."""
    try:
        signal = getattr(resource, "alive", None)
    except Exception:
        return lambda: False
    if signal is None:
        return None
    if isinstance(signal, asyncio.Future):
        signal.add_done_callback(lambda _: died())
        return lambda: not signal.done()
    return functools.partial(_is_alive, resource)


def _is_alive(resource: Any) -> bool:
    try:
        signal = resource.alive
        return bool(signal() if callable(signal) else signal)
    except Exception:
        return False
