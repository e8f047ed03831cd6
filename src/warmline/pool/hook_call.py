"""A hook that is called from within another hook."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from warmline.pool.hooks import is_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.pool.hooks import HookRunner

__all__ = ["call_hook"]


async def call_hook(runner: HookRunner, hook: Callable[..., Any], *args: Any) -> Any:
    """`hook(*args)`, in a thread when it is not async; whoever cancels the caller abandons it."""
    if is_async(hook):
        return await hook(*args)
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(value: Any, error: BaseException | None) -> None:
        if outcome.done():
            return
        if isinstance(error, StopIteration):  # which no future takes
            outcome.set_exception(RuntimeError("the hook raised StopIteration"))
        elif error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(value)

    job = runner.start(hook, args, done, lambda _: None)
    try:
        return await outcome
    except asyncio.CancelledError:
        runner.abandon(job)
        raise
