"""What a plan is made of: one thing to warm, and what is allowed to depend on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from warmline.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Criticality", "Scope", "Step", "member"]

_Choice = TypeVar("_Choice", bound=StrEnum)


class Criticality(StrEnum):
    """What the loss of a step means."""

    CRITICAL = "critical"
    """No call can do without it: not ready until it succeeded, deadline or not."""
    WANTED = "wanted"
    """The first caller would wait for it: the first readiness waits for its end, until the deadline."""
    OPTIONAL = "optional"
    """Like wanted, but its failure is no cause for a warning."""


class Scope(StrEnum):
    """Whom a step warms for."""

    PROCESS = "process"
    """Once, for everybody: weights, connections, worker processes."""
    SESSION = "session"
    """Once for every session (`Plan.run_session`): state that two sessions must never share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a warm-up.

    Attributes:
        name: what it is called in reports and probes; unique in its plan.
        run: does it, and returns the proof that it did (see `verified`). Async functions run on the loop, others each
            in a daemon thread of their own. It may be called again (retries, re-runs): what a later run makes replaces
            what an earlier one made, and giving that back is up to it, since only it knows who still uses it.
        needs: steps that must have succeeded before; if one of them does not, this one is blocked.
        after: steps that must have ended before, however they ended.
        timeout_sec: bound of one attempt. An async function is cancelled then; a thread cannot be, and is abandoned.
        retries: further attempts after a failure, `retry_delay_sec` apart, doubling, with jitter.
        criticality: what its loss means; its name (`"critical"`) will do.
        scope: whom it warms for; its name will do.
        cpu: it keeps a core busy, its own thread's or a child process's. At most as many such steps run at a time as
            there are cores, those of sessions included.
        verified: `run` returns proof: a `Verified`, or anything true (bytes, a label, a count). None, False and
            whatever else is empty is a failed step. With `verified=False` only False and an exception are failures,
            and the report says that nothing was proved. An exception that is returned, alone or in a list, is one that
            was raised; a generator is a failure, for nothing of it has run; NaN is no proof.
        paid: it costs money; a probe never starts it.
        expected_sec: an estimate; of steps that could start, that with the longest expected chain behind it goes first.
        close: gives back what `run` made; called when the plan closes, latest success first. Also after a failure,
            which may have made something: it has to bear that there is nothing to give back. What a call makes after
            it was given up and the plan closed is given back by one call more.
    """

    name: str
    run: Callable[[], Any]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    timeout_sec: float = 30.0
    retries: int = 0
    retry_delay_sec: float = 0.5
    criticality: Criticality = Criticality.WANTED
    scope: Scope = Scope.PROCESS
    cpu: bool = False
    verified: bool = True
    paid: bool = False
    expected_sec: float = 1.0
    close: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        for name, kind in (("criticality", Criticality), ("scope", Scope)):
            object.__setattr__(self, name, member(kind, getattr(self, name), f"step {self.name!r}: {name}"))
        for name, complaint in (
            ("name", "" if self.name else "must not be empty"),
            ("run", "" if callable(self.run) else "must be callable"),
            ("timeout_sec", "" if 0 < self.timeout_sec < math.inf else "must be positive and finite"),
            ("retries", "" if self.retries >= 0 else "must not be negative"),
            ("retry_delay_sec", "" if 0 <= self.retry_delay_sec < math.inf else "must be finite, not negative"),
            ("expected_sec", "" if 0 <= self.expected_sec < math.inf else "must be finite, not negative"),
            ("needs", _complaint_of_names(self.needs)),
            ("after", _complaint_of_names(self.after)),
            ("close", "is the session's own business" if self.close and self.scope is Scope.SESSION else ""),
        ):
            if complaint:
                raise PlanError(f"step {self.name!r}: {name} {complaint}")

    @property
    def waits_for(self) -> tuple[str, ...]:
        """All steps that come before it."""
        return (*self.needs, *self.after)


def member(kind: type[_Choice], value: Any, what: str) -> _Choice:
    """The member of this name; `what` says in the error whose it is.

    Raises:
        PlanError: there is none.
    """
    try:
        return kind(value)
    except ValueError as error:
        raise PlanError(f"{what} must be one of {', '.join(kind)}, not {value!r}") from error


def _complaint_of_names(names: object) -> str:
    # A single string is a sequence of its letters, and the commonest slip.
    return "must be a tuple of step names" if isinstance(names, str) or not isinstance(names, tuple) else ""
