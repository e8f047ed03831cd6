"""What a resource says of itself: `alive`, and `clear_session_state()`."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ENDS_THE_PROCESS", "alive_signal", "clear_hook", "clear_session_state", "closer_of"]

ENDS_THE_PROCESS: tuple[type[BaseException], ...] = (KeyboardInterrupt, SystemExit)
"""What no hook may swallow; all else that a hook raises, `BaseException` included, is its failure."""


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
    except ENDS_THE_PROCESS:
        raise
    except BaseException:
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
    except ENDS_THE_PROCESS:
        raise
    except BaseException:
        return False


def closer_of(resource: Any) -> Callable[[], Any] | None:
    """The resource's own `aclose()` or `close()`, whichever it has; one that cannot be looked up, it has not."""
    for name in ("aclose", "close"):
        try:
            closer = getattr(resource, name, None)
        except ENDS_THE_PROCESS:
            raise
        except BaseException:
            continue
        if callable(closer):
            return cast("Callable[[], Any]", closer)
    return None
