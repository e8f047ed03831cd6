"""Running a pool: signs of life, other sizes, fresh credentials, pauses."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from warmline.errors import ConfigError
from warmline.pool import steering, upkeep
from warmline.pool.api.observe import Observes
from warmline.pool.signals import ENDS_THE_PROCESS
from warmline.pool.snapshot import PoolSnapshot

__all__ = ["FloorPolicy", "Operates"]

FloorPolicy = Callable[[PoolSnapshot], int]

logger: logging.Logger = logging.getLogger("warmline.pool")


class Operates(Observes):
    """What an operator, and a session that lives, tell the pool."""

    def __init__(self, floor_policy: FloorPolicy | None) -> None:
        super().__init__()
        self._floor_policy = floor_policy
        self._touched: dict[str, float] = {}
        self._touch_lock = threading.Lock()

    def touch(self, session_id: str) -> None:
        """This session lives. The one call that is safe from any thread.

        A session that has ever touched is reclaimed once it falls silent for `session_max_age_sec`. In a pool that is
        not open nobody listens.
        """
        if not self._state.open:
            return
        now = self._engine.now()
        with self._touch_lock:
            self._touched[session_id] = now

    async def resize(self, warm_pool_size: int | None = None, max_size: float | None = None) -> None:
        """Another floor or maximum (`math.inf` for none); None leaves it as it is. Too many go on the next sweeps.

        Raises:
            ConfigError: not a size.
        """
        self._here()
        floor = self._state.floor if warm_pool_size is None else warm_pool_size
        limit = self._state.max_size if max_size is None else max_size
        if not isinstance(floor, int) or floor < 0 or limit < 1 or floor > limit:
            raise ConfigError(f"[{self.name}] cannot resize to warm_pool_size={floor!r}, max_size={limit!r}")
        steering.resize(self._state, warm_pool_size, max_size, self._engine.now())
        self._engine.perform()

    async def rotate(self) -> None:
        """Credentials or settings changed: spares are replaced now, leased resources close on return."""
        self._here()
        steering.rotate(self._state, self._engine.now())
        self._engine.perform()

    def reverify(self, older_than_sec: float = 0.0) -> None:
        """Keep alive now, not when it is due, every spare that was verified longer than `older_than_sec` ago.

        At most half of the spares (but one of one) are away at a time. Does nothing in a pool without keepalives.
        """
        self._here()
        now = self._engine.now()
        steering.reverify(self._state, now - older_than_sec, now)
        self._engine.perform()

    def suspend(self) -> None:
        """Callers wait and nothing is created until `resume`; sessions keep what they hold."""
        self._here()
        steering.suspend(self._state)

    def resume(self) -> None:
        """End `suspend`."""
        self._here()
        steering.resume(self._state, self._engine.now())
        self._engine.perform()

    def _hear(self) -> None:
        with self._touch_lock:
            touched, self._touched = self._touched, {}
        upkeep.heard(self._state, touched)

    def _before_sweep(self) -> None:
        self._hear()
        if self._floor_policy is None:
            return
        try:
            floor = int(min(max(0, self._floor_policy(self.snapshot())), self._state.max_size))
        except ENDS_THE_PROCESS:
            raise
        except BaseException as error:  # a policy that fails, or gives no whole number, leaves the floor as it was
            logger.warning("[%s] floor_policy failed: %s", self.name, type(error).__name__)
            return
        if floor != self._state.floor:
            steering.resize(self._state, floor, None, self._engine.now())
