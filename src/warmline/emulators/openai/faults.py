"""What goes wrong on purpose: armed by flag or at run time, for a number of requests or until disarmed."""

from dataclasses import dataclass, replace
from typing import Self

__all__ = ["FAULT_NAMES", "Fault", "FaultSwitch"]

# Each with what its value says, and the value where none is given.
FAULT_NAMES = {
    "close-race": ("closes the connection as a request arrives on an idle one; no value", 0.0),
    "unauthorized": ("answers 401; no value", 0.0),
    "quota": ("answers a POST with 429 and insufficient_quota; no value", 0.0),
    "rate-limit": ("answers 429 with retry-after; value: seconds", 1.0),
    "server-error": ("answers 500; no value", 0.0),
    "stall": ("sends nothing more until the client leaves; value: after how many tokens", 0.0),
    "reset": ("resets the connection; value: after how many tokens", 1.0),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One of `FAULT_NAMES`, for the next `times` requests that it fits, or for all of them (None)."""

    name: str
    value: float
    times: int | None = None

    @classmethod
    def make(cls, name: str, value: float | None = None, times: int | None = None) -> Self:
        """A checked fault; `value` None takes the fault's own.

        Raises:
            ValueError: there is no such fault, or a number is out of range.
        """
        if name not in FAULT_NAMES:
            raise ValueError(f"no such fault: {name}; there are {', '.join(FAULT_NAMES)}")
        value = FAULT_NAMES[name][1] if value is None else value
        if not 0 <= value <= 1e6 or (times is not None and times < 1):
            raise ValueError(f"{name}: its value must be from 0 to 1,000,000, and times at least 1")
        return cls(name, value, times)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAME[=VALUE][,times=N]`.

        Raises:
            ValueError: it is written otherwise, or `make` refuses it.
        """
        named, _, times = text.partition(",times=")
        name, _, value = named.partition("=")
        return cls.make(name, float(value) if value else None, int(times) if times else None)


class FaultSwitch:
    """The faults that are armed, and how long a connection may idle."""

    def __init__(self, idle_close_sec: float, faults: tuple[Fault, ...] = ()) -> None:
        self.idle_close_sec = idle_close_sec
        self._armed = {fault.name: fault for fault in faults}

    def arm(self, fault: Fault) -> None:
        """Let `fault` happen, in place of one of the same name."""
        self._armed[fault.name] = fault

    def disarm(self, name: str) -> None:
        """Let it happen no more. Harmless when it is not armed."""
        self._armed.pop(name, None)

    def take(self, name: str) -> Fault | None:
        """The fault of that name if it happens now, which uses up one of its times."""
        fault = self._armed.get(name)
        if fault is None or fault.times is None:
            return fault
        if fault.times > 1:
            self._armed[name] = replace(fault, times=fault.times - 1)
        else:
            del self._armed[name]
        return fault

    def as_object(self) -> dict[str, object]:
        """For the control path."""
        return {name: {"value": fault.value, "times": fault.times} for name, fault in self._armed.items()}
