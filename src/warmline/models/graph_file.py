"""One cached graph as a file: a line of JSON that says what it is, then the graph. Read only if all of it is true."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from warmline.models.private_directory import is_private

__all__ = ["ForeignFile", "header_line", "read_graph_file", "read_header", "write_graph_file"]

_FORMAT = "warmline graph 1"  # to be raised whenever a file has to be read differently
_MAX_HEADER_BYTES = 65_536


class ForeignFile(ValueError):  # noqa: N818 - it names what the file is
    """The file is not what its name promises, or not ours."""


def read_graph_file(path: Path, key: Mapping[str, str]) -> bytes:
    """The graph in `path`, which must have been made for exactly `key`; marks the file as used now, if it can be.

    Raises:
        FileNotFoundError: there is none.
        ForeignFile: wrong owner or mode, another format or key, cut short, or changed since it was written.
        OSError: it cannot be read.
    """
    with _open(path) as file:
        header = _header(file)
        if header.get("key") != dict(key):
            raise ForeignFile("made for another model, runtime or machine")
        if header.get("bytes") != os.fstat(file.fileno()).st_size - file.tell():
            raise ForeignFile("cut short or changed")
        graph = file.read()
        if header.get("sha256") != hashlib.sha256(graph).hexdigest():
            raise ForeignFile("changed since it was written")
        # Access times are not kept everywhere; ours is the modification time. A disk may be there to be read only.
        with contextlib.suppress(OSError):
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


def header_line(key: Mapping[str, str], graph: bytes, *, label: str) -> bytes:
    """What comes before `graph` in its file."""
    header = {
        "format": _FORMAT,
        "label": label,
        "key": dict(key),
        "bytes": len(graph),
        "sha256": hashlib.sha256(graph).hexdigest(),
    }
    return json.dumps(header).encode() + b"\n"


def write_graph_file(path: Path, header: bytes, graph: bytes) -> None:
    """Write beside and rename, so that nobody ever reads half of it, and a crash leaves the name as it was.

    Raises:
        OSError: it cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(header)
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
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not is_private(os.fstat(handle)):
        os.close(handle)
        raise ForeignFile("is no plain file, belongs to somebody else, or is open to others")
    return os.fdopen(handle, "rb")


def _header(file: BinaryIO) -> Mapping[str, object]:
    line = file.readline(_MAX_HEADER_BYTES)
    try:
        header = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ForeignFile("has no header") from error
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise ForeignFile("is of another format")
    return header
