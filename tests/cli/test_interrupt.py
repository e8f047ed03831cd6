"""Ctrl-C reaches every process of the terminal's foreground group: no traceback, no process is left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "last_line_before", "statuses"),
    [
        (["serve", "--cold", "--port", "0"], "Call it: http://127.0.0.1:", {0}),
        # Interrupted while modules are being imported, and in the midst of the warm-up.
        (["serve", "--port", "0"], "Set: port = 0", {0, 130}),
        (["serve", "--port", "0"], " s  verified", {0, 130}),
        (["emulate", "openai"], '{"url": "http://127.0.0.1:', {0, 130}),
    ],
)
def test_ctrl_c_is_clean(
    arguments: list[str],
    last_line_before: str,
    statuses: set[int],
    plain_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "warmline", *arguments],
        cwd=tmp_path,
        env=plain_environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        printed = ""
        while last_line_before not in printed:
            line = process.stdout.readline()
            assert line, f"it ended early, after: {printed}"
            printed += line
        os.killpg(process.pid, signal.SIGINT)
        # Ends only when every process that shares the pipes has ended.
        _, errors = process.communicate()
    assert (process.returncode in statuses, errors.strip()) == (True, "")
