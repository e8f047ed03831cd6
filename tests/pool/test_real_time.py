"""A short run in real time, on asyncio's loop and on uvloop: nothing here depends on how long anything takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.pool.storm import event_loops, storm

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.core


@pytest.mark.parametrize("new_loop", event_loops())
def test_a_storm_in_real_time(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(storm(1000, seed=1)) >= 1000
