"""One cached graph as a file: a line of JSON that says what it is, then the graph. Read only if all of it is true."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from warmline.models.private_directory import is_private

__all__ = ["ForeignFile", "read_graph_file", "read_header", "write_graph_file"]

_FORMAT = "warmline graph 1"  # to be raised whenever a file has to be read differently
_MAX_HEADER_BYTES = 65_536


class ForeignFile(ValueError):  # noqa: N818 - it names what the file is
    """The file is not what its name promises, or not ours."""


def read_graph_file(path: Path, key: Mapping[str, str]) -> bytes:
    """The graph in `path`, which must have been made for exactly `key`; marks the file as used now.

    Raises:
        FileNotFoundError: there is none.
        ForeignFile: wrong owner or mode, another format or key, cut short, or changed since it was written.
        OSError: it cannot be read.
    """
    with _open(path) as file:
        header = _header(file)
        if header.get("key") != dict(key):
            raise ForeignFile("made for another model, runtime or machine")
        graph = file.read(_size(header) + 1)
        if header.get("bytes") != len(graph) or header.get("sha256") != hashlib.sha256(graph).hexdigest():
            raise ForeignFile("cut short or changed")
        # Access times are not kept everywhere; ours is the modification time.
        os.utime(file.fileno() if os.utime in os.supports_fd else path)
    return graph


def read_header(path: Path) -> Mapping[str, object]:
    """What the file says it is, unproved.

    Raises:
        ForeignFile: no file of ours.
        OSError: it cannot be read.
    """
    with _open(path) as file:
        return _header(file)


def write_graph_file(path: Path, key: Mapping[str, str], graph: bytes, *, label: str) -> None:
    """Write beside and rename, so that nobody ever reads half of it, and a crash leaves the name as it was.

    Raises:
        OSError: it cannot be written.
    """
    header = {
        "format": _FORMAT,
        "label": label,
        "key": dict(key),
        "bytes": len(graph),
        "sha256": hashlib.sha256(graph).hexdigest(),
    }
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            file.write(graph)
            file.flush()
            # Without this a power cut can leave the name with nothing behind it.
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _open(path: Path) -> BinaryIO:
    """Open what `path` itself is, not what a link leads to, and look at what was opened, not at what it was before."""
    file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)), "rb")
    if not is_private(os.fstat(file.fileno())):
        file.close()
        raise ForeignFile("belongs to somebody else, or is open to others")
    return file


def _size(header: Mapping[str, object]) -> int:
    size = header.get("bytes")
    if not isinstance(size, int) or size < 0:
        raise ForeignFile("does not say how long it is")
    return size


def _header(file: BinaryIO) -> Mapping[str, object]:
    line = file.readline(_MAX_HEADER_BYTES)
    try:
        header = json.loads(line)
    except ValueError as error:
        raise ForeignFile("has no header") from error
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise ForeignFile("is of another format")
    return header
