"""The pools that calls take their ear and their voice from."""

import logging
import os
from typing import TYPE_CHECKING, Any

from warmline.errors import WarmUpFailed
from warmline.pool import WarmableResourcePool

if TYPE_CHECKING:
    from warmline.engines import PoolHooks
    from warmline.settings import Settings

__all__ = ["add_spares", "close_pool", "open_pool", "wait_for_spares"]

_log = logging.getLogger(__name__)
_TAKE_TIMEOUT_SEC = 10.0
_SWEEP_SEC = 5.0
_DRAIN_SEC = 1.0


async def open_pool(name: str, hooks: "PoolHooks[Any]", settings: "Settings") -> WarmableResourcePool[Any]:
    """A pool with one spare, where spares are wanted and the engine says that they are worth it; it stands.

    There is one of each for every call that `max_calls` admits, beside the spares: a burst waits for creations, never
    for another call to end. What is made is a process of ours, which no idle limit ends; that it died is told by its
    `alive`.

    Raises:
        WarmUpFailed: the first spare could not be made, which is no failure of the pool's; it is closed again.
    """
    spares = min(settings.spare_calls, settings.max_calls) if settings.warm == "all" and hooks.worth_keeping else 0
    pool = WarmableResourcePool(
        **hooks.arguments(),
        name=name,
        warm_pool_size=min(1, spares),
        max_size=settings.max_calls + spares,
        # A warm-up takes a core for as long as it runs: more at a time would only end later, all of them.
        max_concurrent_creates=max(2, os.cpu_count() or 1),
        acquire_timeout_sec=_TAKE_TIMEOUT_SEC,
        warmup_interval_sec=_SWEEP_SEC,
    )
    try:
        await pool.prepare()
        if spares and not pool.snapshot()["warm_pool_size"]:
            raise WarmUpFailed(f"no spare of the {name} could be made")
    except BaseException:
        await close_pool(pool)
        raise
    return pool


async def add_spares(pool: WarmableResourcePool[Any], settings: "Settings") -> None:
    """Begin to make the other spares, of a pool that has one. Returns at once."""
    if pool.snapshot()["warm_pool_target"]:
        await pool.resize(warm_pool_size=min(settings.spare_calls, settings.max_calls))


async def wait_for_spares(*pools: WarmableResourcePool[Any], timeout_sec: float) -> None:
    """Until each pool has its spares.

    Raises:
        WarmUpFailed: one did not get them in time.
    """
    for pool in pools:
        if not await pool.wait_warm(timeout=timeout_sec):
            snapshot = pool.snapshot()
            standing, wanted = snapshot["warm_pool_size"], snapshot["warm_pool_target"]
            raise WarmUpFailed(f"{standing} of {wanted} spares of the {pool.name} stand")


async def close_pool(pool: WarmableResourcePool[Any]) -> None:
    """Close everything, and tell the log what the pool has done."""
    await pool.shutdown(_DRAIN_SEC)
    _log.debug("%s", pool.snapshot())
