"""Test your own pools as Warmline tests its own: scripted providers, virtual time, invariants. Needs nothing else."""

from typing import Any

from warmline.pool import InvariantBroken, WarmableResourcePool
from warmline.testing.loop import VirtualClock, VirtualTimeLoop, run_virtual
from warmline.testing.provider import HookEscaped, HookFailed, Outcome, ScriptedProvider, ScriptedResource

__all__ = [
    "HookEscaped",
    "HookFailed",
    "InvariantBroken",
    "Outcome",
    "ScriptedProvider",
    "ScriptedResource",
    "VirtualClock",
    "VirtualTimeLoop",
    "check_invariants",
    "run_virtual",
]


def check_invariants(pool: WarmableResourcePool[Any]) -> None:
    """Check every promise of `pool`, now; call it wherever your test may.

    Raises:
        InvariantBroken: `check` names the promise, the message what was found.
    """
    pool.check_invariants()
