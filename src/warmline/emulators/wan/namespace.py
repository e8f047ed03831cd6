"""Network namespaces of Linux: where a socket is made decides which network it is in."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["entered", "namespace_path"]

_CLONE_NEWNET = 0x40000000


def namespace_path(name: str) -> Path:
    """Where `ip netns` keeps a namespace that it has made."""
    return Path("/var/run/netns") / name


@contextmanager
def entered(name: str) -> Iterator[None]:
    """This thread is in the namespace; sockets and devices opened meanwhile stay in it.

    Raises:
        OSError: there is none of that name, or this process may not enter it.
    """
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        other = os.open(namespace_path(name), os.O_RDONLY)
        try:
            _enter(other)
        finally:
            os.close(other)
        try:
            yield
        finally:
            _enter(own)
    finally:
        os.close(own)


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
