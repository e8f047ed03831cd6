"""Servers as child processes: started, and gone with all that they started."""

import os
import sys
import time
from pathlib import Path

import pytest

from warmline.errors import ConfigError
from warmline.measure import ServerProcess

WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def written(path: Path) -> str:
    while not path.read_text().endswith("\n"):
        time.sleep(0.01)
    return path.read_text()


def gone(pid: int) -> bool:
    """Whether it has ended, be it as a zombie that nobody has waited for yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def test_what_the_server_started_goes_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output, ServerProcess([sys.executable, "-c", WITH_CHILD], output=output) as server:
        child = int(written(log))
        running = server.exit_status is None
    assert running
    assert server.exit_status is not None
    while not gone(child):
        time.sleep(0.01)


def test_the_environment_is_added_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    show = "import os; print(os.environ['WARMLINE_TEST'], 'PATH' in os.environ)"
    with log.open("wb") as output:
        command = [sys.executable, "-c", show]
        with ServerProcess(command, environment={"WARMLINE_TEST": "seen"}, output=output):
            assert written(log) == "seen True\n"
    assert "WARMLINE_TEST" not in os.environ


def test_what_cannot_be_started_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match="/nowhere/at-all cannot be started"):
        ServerProcess(["/nowhere/at-all"])
    with pytest.raises(ConfigError, match="an empty command"):
        ServerProcess([])
