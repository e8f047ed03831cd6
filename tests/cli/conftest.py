"""The command as a user meets it: a process of its own, in an empty directory, without the developer's environment."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.shared_cache import shared_cache

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def plain_environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WARMLINE_", "OPENAI_"))}
    return {**kept, "XDG_CACHE_HOME": str(shared_cache(tmp_path)), "COLUMNS": "120"}


@pytest.fixture
def run(tmp_path: Path, plain_environment: dict[str, str]) -> Run:
    """Run `warmline` with these arguments; keywords are added to the environment."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "warmline", *arguments],
            cwd=tmp_path,
            env={**plain_environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
