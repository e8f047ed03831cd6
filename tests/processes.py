"""What a process has open, read from /proc: for tests that count leaks."""

import contextlib
import os
from pathlib import Path


def open_fds(pid: int | None = None) -> int:
    """Open file descriptors."""
    return len(os.listdir(f"/proc/{pid or os.getpid()}/fd"))


def threads(pid: int | None = None) -> int:
    """Threads of the operating system."""
    return len(os.listdir(f"/proc/{pid or os.getpid()}/task"))


def children(pid: int | None = None) -> list[int]:
    """Direct and indirect children that are alive or not yet reaped."""
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it may end while we look
        for task in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *children(int(child))]
    return found


def resident_mb(pid: int | None = None) -> float:
    """Resident memory."""
    pages = int(Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def is_alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
