"""Ctrl-C reaches every process of the terminal's foreground group: no traceback, no process is left behind."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# `python -m` ends by the signal itself, whatever was returned, if it came while a class was being made from source text
# (dataclasses and named tuples are): `exec` of a string marks the interrupt as unhandled. A shell shows 130 as well.
INTERRUPTED = {130, -signal.SIGINT}


@pytest.mark.parametrize(
    ("arguments", "last_line_before", "statuses"),
    [
        (["serve", "--cold", "--port", "0"], "Call it: http://127.0.0.1:", {0}),
        # Interrupted while modules are being imported, and in the midst of the warm-up.
        (["serve", "--port", "0"], "Set: port = 0", {0, *INTERRUPTED}),
        (["serve", "--port", "0"], " s  verified", {0, *INTERRUPTED}),
        (["emulate", "openai"], '{"url": "http://127.0.0.1:', {0, *INTERRUPTED}),
    ],
)
def test_ctrl_c_is_clean(
    arguments: list[str],
    last_line_before: str,
    statuses: set[int],
    plain_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    with _in_a_group_of_its_own(arguments, plain_environment, tmp_path) as process:
        assert process.stdout is not None
        printed = ""
        while last_line_before not in printed:
            line = process.stdout.readline()
            assert line, f"it ended early, after: {printed}"
            printed += line
        os.killpg(process.pid, signal.SIGINT)
        # Ends only when every process that shares the pipes has ended.
        _, errors = process.communicate(timeout=60)
    assert (process.returncode in statuses, errors.strip()) == (True, "")


@contextlib.contextmanager
def _in_a_group_of_its_own(
    arguments: list[str], environment: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """The command; whatever is left of its group at the end is killed, so that a failing test ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "warmline", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


TERMINATED_BEFORE_THE_LOOP = """
import importlib, os, signal, sys
serving = importlib.import_module("warmline.agent.serve")
from warmline.settings import Settings, load_scenario
serving.use_few_arenas = lambda: os.kill(os.getpid(), signal.SIGTERM)
sys.exit(serving.serve(Settings(port=0), load_scenario(), print))
"""


def test_a_sigterm_that_comes_before_the_loop_runs_ends_the_server_like_any_other(plain_environment, tmp_path) -> None:
    command = [sys.executable, "-c", TERMINATED_BEFORE_THE_LOOP]
    done = subprocess.run(command, cwd=tmp_path, env=plain_environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
