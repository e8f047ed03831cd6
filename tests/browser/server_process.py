"""The agent as a user starts it: `warmline serve` in a process of its own, on a free port."""

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.shared_cache import shared_cache

__all__ = ["serving"]

_START_LIMIT_SEC = 60
_ADDRESS = re.compile(r"http://\S+")


@contextlib.contextmanager
def serving(folder: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """Run `warmline serve` with these arguments and yield the address of its page; it is stopped at the end."""
    command = [sys.executable, "-m", "warmline", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**_plain_environment(folder), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield _address(process.stdout)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _plain_environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WARMLINE_", "OPENAI_"))}
    return {**kept, "XDG_CACHE_HOME": str(shared_cache(folder))}


def _address(output: IO[str]) -> str:
    """The address in the start-up lines; what comes after is read and dropped, so that the pipe never fills."""
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_pump, args=(output, lines), daemon=True).start()
    seen: list[str] = []
    while (line := lines.get(timeout=_START_LIMIT_SEC)) is not None:
        seen.append(line)
        if found := _ADDRESS.search(line.partition("Call it:")[2]):
            return found.group()
    raise AssertionError("the server did not start:\n" + "".join(seen))


def _pump(output: IO[str], lines: "queue.Queue[str | None]") -> None:
    with output:
        for line in output:
            lines.put(line)
    lines.put(None)
