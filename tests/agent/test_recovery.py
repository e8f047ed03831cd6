"""Steps that failed while the language model did are run once each time it is back, ever later, until they stand."""

import asyncio
from itertools import pairwise

from tests.startup.steps import EvenClock, plan, step
from warmline.agent.recovery import rerun_when_back
from warmline.testing import run_virtual


class Model:
    """Its gate is closed within these spans of seconds; whoever asks it is told whether it works by `works`."""

    def __init__(self, *closed, works_from):
        self.closed = closed
        self.works_from = works_from
        self.asked = []

    def is_open(self):
        return not any(begin <= now() < end for begin, end in self.closed)

    async def rehearse(self):
        self.asked.append(now())
        await asyncio.sleep(1)
        return now() >= self.works_from


def now():
    return asyncio.get_running_loop().time()


def watched(model, seconds=10_000.0, **attributes):
    """When the model was asked, by seconds since the start, what is degraded at last, and whether it still looks."""

    async def main():
        rehearsal = step("rehearsal", model.rehearse, paid=True)
        async with plan(step("weights", 1), rehearsal, step("spares", 1, "rehearsal"), **attributes) as warm_up:
            watching = asyncio.create_task(rerun_when_back(warm_up, model.is_open, EvenClock()))
            await asyncio.sleep(seconds)
            degraded, looks = warm_up.gating().degraded, not watching.done()
            watching.cancel()
            await asyncio.wait([watching])
        return [round(at) for at in model.asked], degraded, looks

    return run_virtual(main())


def test_a_start_without_failures_is_not_looked_after():
    assert watched(Model(works_from=0)) == ([0], (), False)


def test_what_failed_is_run_once_when_the_gate_opens_with_what_it_blocked():
    assert watched(Model((0, 60), works_from=60)) == ([0, 60], (), False)


def test_what_fails_while_the_gate_is_open_is_not_the_models_and_stays():
    assert watched(Model(works_from=10**6)) == ([0], ("rehearsal", "spares"), True)


def test_a_gate_that_closed_and_opened_again_before_the_start_was_over():
    assert watched(Model((0.1, 0.6), works_from=2)) == ([0, 1], (), False)


def test_a_gate_that_opens_on_trial_is_believed_less_and_less():
    trials = [(begin, begin + 4) for begin in range(1, 400, 5)]
    asked, degraded, _ = watched(Model(*trials, works_from=10**6), seconds=400)
    pauses = [later - earlier for earlier, later in pairwise(asked[1:])]
    assert degraded == ("rehearsal", "spares")
    assert pauses == sorted(pauses)
    assert all(later >= earlier + 5 for earlier, later in pairwise(pauses))
    assert len(asked) <= 7


def test_it_is_run_again_once_a_recovery_until_it_stands():
    assert watched(Model((0, 20), (21, 100), works_from=50)) == ([0, 20, 100], (), False)
