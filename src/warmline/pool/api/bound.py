"""What every part of a pool's API stands on: its knobs, its engine, and the one event loop that it belongs to."""

from __future__ import annotations

from asyncio import get_running_loop
from typing import TYPE_CHECKING

from warmline.pool import lending

if TYPE_CHECKING:
    from warmline.pool.engine import Engine
    from warmline.pool.knobs import PoolKnobs
    from warmline.pool.state import PoolState

__all__ = ["BoundPool"]


class BoundPool:
    """Knobs, engine and state of one pool."""

    _knobs: PoolKnobs
    _engine: Engine
    _state: PoolState

    @property
    def name(self) -> str:
        """For logs, errors and snapshots."""
        return self._knobs.name

    def _here(self) -> None:
        if get_running_loop() is not self._engine.loop:
            self._refuse_loop()

    def _refuse_loop(self) -> None:
        if self._engine.loop is not None:
            self._engine.bind()  # raises: another loop
        lending.check_open(self._state)
