"""Virtual time with a look at every promise after every single tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmline.testing import VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import Callable


class CheckedLoop(VirtualTimeLoop):
    """Calls `check` after every tick, except while it is `stalled` on purpose."""

    check: Callable[[], None] | None = None
    stalled = False

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]  # asyncio's own step
        if self.check is not None and not self.stalled:
            self.check()
