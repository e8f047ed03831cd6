"""What gates, at which second, by policy."""

from __future__ import annotations

import asyncio

import pytest

from tests.startup.steps import hangs, in_turn, plan, step, takes
from warmline.errors import WarmUpFailed
from warmline.startup import Criticality, Gating, Plan, Step, StepState
from warmline.testing import run_virtual

pytestmark = pytest.mark.core

CRITICAL, OPTIONAL = Criticality.CRITICAL, Criticality.OPTIONAL


def steps() -> list[Step]:
    return [
        step("core", 2, criticality=CRITICAL),
        step("voice", 4),
        step("slow", 100, timeout_sec=200),
        step("extra", takes(1, None), criticality=OPTIONAL),
    ]


def at(seconds: list[float], warm_up: Plan) -> list[Gating]:
    """What gates at these seconds."""

    async def main() -> list[Gating]:
        seen = []
        async with warm_up:
            for second in seconds:
                await asyncio.sleep(second - asyncio.get_running_loop().time())
                seen.append(warm_up.gating())
        return seen

    return run_virtual(main())


def test_gate_waits_for_every_end_until_the_deadline_and_then_says_what_is_missing() -> None:
    begin, middle, late = at([0.5, 3.5, 10.5], plan(*steps(), deadline_sec=10))
    assert begin == Gating(
        critical=("core",),
        waiting=("voice", "slow", "extra"),
        degraded=("voice", "slow", "extra"),
        floors_gate=True,
        over=False,
    )
    assert middle == Gating(
        critical=(), waiting=("voice", "slow"), degraded=("voice", "slow", "extra"), floors_gate=True, over=False
    )
    assert late == Gating(critical=(), waiting=(), degraded=("slow", "extra"), floors_gate=False, over=True)


def test_a_step_that_failed_gates_no_longer() -> None:
    (seen,) = at([2.5], plan(step("core", 1, criticality=CRITICAL), step("extra", takes(1, None))))
    assert (seen.critical, seen.waiting, seen.degraded, seen.over) == ((), (), ("extra",), True)


def test_background_waits_for_critical_steps_alone() -> None:
    begin, late = at([0.5, 2.5], plan(*steps(), policy="background"))
    assert (begin.critical, begin.waiting, begin.floors_gate) == (("core",), (), False)
    assert (late.critical, late.waiting, late.degraded) == ((), (), ("voice", "slow", "extra"))


def test_a_critical_step_gates_beyond_the_deadline_until_it_succeeds() -> None:
    core = step("core", in_turn(takes(1, OSError()), takes(1, OSError()), takes(1)), criticality=CRITICAL)
    # Fails at 1, again at 5 + 1 + 1 = 7, succeeds at 7 + 10 + 1 = 18; what it blocked follows.
    seen = at([2, 8, 17.5, 18.5, 20], plan(core, step("behind", 1, "core"), deadline_sec=5, recover_sec=5.0))
    assert [gating.critical for gating in seen] == [("core",), ("core",), ("core",), (), ()]
    assert [gating.degraded for gating in seen] == [("behind",)] * 4 + [()]
    assert all(gating.over for gating in seen[1:])


@pytest.mark.parametrize("policy", ["gate", "background", "block"])
def test_a_critical_step_that_fails_in_a_later_run_is_recovered_as_in_the_first(policy: str) -> None:
    async def main() -> list[Gating]:
        attempts = [takes(1), takes(1, OSError()), takes(1), takes(1, OSError()), takes(1)]
        core = step("core", in_turn(*attempts), criticality=CRITICAL)
        async with plan(core, step("other", 1), policy=policy, recover_sec=5.0) as warm_up:
            await warm_up.finished()
            seen = []
            for _ in range(2):
                await warm_up.run()
                seen.append(warm_up.gating())
                await asyncio.sleep(6.5)
                seen.append(warm_up.gating())
            assert warm_up.report()["core"].attempts == 1  # of its own run
        return seen

    assert [gating.critical for gating in run_virtual(main())] == [("core",), (), ("core",), ()]


def test_without_recovery_a_failed_critical_step_stays_failed_and_nothing_is_raised() -> None:
    core = step("core", in_turn(takes(1, OSError()), takes(1)), criticality=CRITICAL)
    (seen,) = at([1000], plan(core, recover_sec=None))
    assert seen.critical == ("core",)


def blocked(*steps: Step, deadline_sec: float = 10) -> tuple[float, tuple[str, ...]]:
    """When a blocking plan lets the application start, and without which steps."""

    async def main() -> tuple[float, tuple[str, ...]]:
        async with plan(*steps, policy="block", deadline_sec=deadline_sec) as warm_up:
            return asyncio.get_running_loop().time(), warm_up.gating().degraded

    return run_virtual(main())


def test_block_starts_when_all_steps_have_ended() -> None:
    assert blocked(step("a", 2, criticality=CRITICAL), step("b", 4), step("c", takes(3, None))) == (4, ("c",))


def test_block_starts_at_the_deadline_without_what_is_not_critical() -> None:
    assert blocked(step("a", 2, criticality=CRITICAL), step("b", hangs)) == (10, ("b",))


def test_block_waits_beyond_the_deadline_for_what_is_critical() -> None:
    assert blocked(step("a", 20, criticality=CRITICAL), step("b", hangs)) == (20, ("b",))


def test_block_raises_the_failure_of_a_critical_step_at_once_and_leaves_nothing_running() -> None:
    async def main() -> None:
        cause = OSError(111, "refused")
        with pytest.raises(WarmUpFailed, match=r"critical step 'a'.*refused") as raised:
            async with plan(step("a", takes(2, cause), criticality=CRITICAL), step("b", hangs), policy="block"):
                raise AssertionError("it must not start")
        assert raised.value.__cause__ is cause
        assert asyncio.get_running_loop().time() == 2
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())


def test_block_that_is_cancelled_leaves_nothing_running() -> None:
    async def main() -> None:
        async def start() -> None:
            async with plan(step("a", hangs), policy="block"):
                pass

        starting = asyncio.create_task(start())
        await asyncio.sleep(1)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())


def test_running_a_step_again_takes_nothing_back_until_it_has_failed() -> None:
    async def main() -> None:
        core = step("core", in_turn(takes(1), takes(3, None)), criticality=CRITICAL)
        async with plan(core, recover_sec=None) as warm_up:
            await warm_up.finished()
            again = asyncio.create_task(warm_up.run())
            await asyncio.sleep(1)
            assert warm_up.report()["core"].state is StepState.RUNNING
            assert warm_up.gating().critical == ()
            await again
            assert warm_up.gating().critical == ("core",)

    run_virtual(main())
