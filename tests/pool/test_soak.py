"""A million operations: `make soak`, or fewer with WARMLINE_SOAK_OPERATIONS set."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.pool.storm import event_loops, storm
from tests.pool.test_state_machine import PoolMachine

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3 * 3600)]

OPERATIONS = int(os.environ.get("WARMLINE_SOAK_OPERATIONS", "1_000_000"))
ROUND = settings(
    max_examples=250,
    stateful_step_count=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("new_loop", event_loops())
def test_a_million_operations_in_real_time(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(storm(OPERATIONS, seed=2)) >= OPERATIONS


def test_a_million_operations_of_every_kind() -> None:
    """Rounds of the state machine, each from a seed of its own; every promise is checked after every tick."""
    operations = 0

    class Counted(PoolMachine):
        @invariant()
        def one_more(self) -> None:
            nonlocal operations
            operations += 1

    number = 0
    while operations < OPERATIONS:
        number += 1
        run_state_machine_as_test(seed(number)(Counted), settings=ROUND)
