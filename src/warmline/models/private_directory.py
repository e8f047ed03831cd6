"""A directory that nobody else can read or write: what is loaded from it runs with our rights."""

import os
import stat
from pathlib import Path

__all__ = ["is_private", "prepare_private_directory"]

_OWNER_ONLY = 0o700
_OTHERS_MAY_WRITE = 0o022
_OTHERS = 0o077


def prepare_private_directory(path: Path) -> None:
    """Make `path`, or close it to others if they could only read it.

    Raises:
        PermissionError: it belongs to somebody else, or others may have written to it.
        OSError: it cannot be made, or is a link or no directory.
    """
    path.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(f"{path} is a link or no directory")
    if os.name != "posix":
        return
    if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
        raise PermissionError(f"{path} belongs to somebody else, or others may write to it")
    if status.st_mode & _OTHERS:
        path.chmod(_OWNER_ONLY)


def is_private(status: os.stat_result) -> bool:
    """Whether a file with this status is a plain one, ours, and closed to everybody else."""
    if not stat.S_ISREG(status.st_mode):
        return False
    return os.name != "posix" or (status.st_uid == os.geteuid() and not status.st_mode & _OTHERS)
