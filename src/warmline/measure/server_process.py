"""A server as a child process: started for the measurement, and gone after it."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

from warmline.errors import ConfigError

__all__ = ["ServerProcess"]

_TERM_SEC = 10.0


class ServerProcess:
    """Runs `command` (no shell) in a process group of its own, until the block ends.

    `started_sec` is the monotonic time right before it was started. What it prints goes to `output`.

    Raises:
        ConfigError: it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | int = subprocess.DEVNULL,
    ) -> None:
        self._stopped = False
        self.started_sec: float = time.monotonic()
        try:
            self._process = subprocess.Popen(
                command,
                env=None if environment is None else {**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output if output == subprocess.DEVNULL else subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError) as failure:
            raise ConfigError(
                f"{command[0] if command else 'an empty command'} cannot be started: {failure}"
            ) from failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id, and the id of its group."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.poll()

    def stop(self) -> None:
        """End it: SIGTERM, and after 10 s SIGKILL; what is left of its group goes too. Twice is harmless."""
        if self._stopped:
            return
        self._stopped = True
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_TERM_SEC)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._kill_group()
        self._process.wait()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
