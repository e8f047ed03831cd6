"""The arms of `startup.py`: how each process is started, and what its readiness promises."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

__all__ = ["PLAIN", "PLAN", "SERIAL", "Arm", "Ready", "livekit_arm"]

_BENCH = Path(__file__).parent
# Everything that `make run` starts, the language model's emulator included.
_EMBEDDED = ("serve", "--llm-base-url", "embedded")


class Ready(Enum):
    """How an arm says that it is ready."""

    PROBE = "200 of /readyz, which is asked once the process says that it is ready"
    ANSWERS = "the first answer over HTTP"
    LINE = "its job process is initialised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One process to start. `exercised` is what has been made and used once when it is ready."""

    name: str
    command: tuple[str, ...]
    ready: Ready
    exercised: str
    environment: Mapping[str, str] = field(default_factory=dict)


PLAN = Arm(
    name="plan",
    command=(sys.executable, "-c", "import sys; from warmline.cli import main; sys.exit(main())", *_EMBEDDED),
    ready=Ready.PROBE,
    exercised="everything: a whole call to itself was heard, answered and spoken, and its spares were replaced",
)
SERIAL = Arm(
    name="serial",
    command=(sys.executable, str(_BENCH / "startup_serial.py"), *_EMBEDDED),
    ready=Ready.PROBE,
    exercised="the same, by the same steps, one after the other",
)
PLAIN = Arm(
    name="plain Pipecat",
    command=(sys.executable, str(_BENCH / "plain_pipecat.py")),
    ready=Ready.ANSWERS,
    exercised="nothing: it has imported its modules, and listens. Its language model's server runs before it",
)


def livekit_arm(python: Path) -> Arm:
    """LiveKit's worker, in the environment of `python`."""
    return Arm(
        name="LiveKit worker",
        command=(str(python), str(_BENCH / "startup_livekit.py")),
        ready=Ready.LINE,
        exercised="nothing: one idle job process has loaded Silero; no ear, voice or language model exists",
        environment={"PYTHONUNBUFFERED": "1"},
    )
