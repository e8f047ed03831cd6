"""Optimised graphs on disk, between starts: trusted only when proved, bounded, private. Its failures fail nobody."""

import contextlib
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from warmline.models.graph_file import ForeignFile, header_line, read_graph_file, read_header, write_graph_file
from warmline.models.graph_key import GraphKey
from warmline.models.private_directory import prepare_private_directory

__all__ = ["CacheCounts", "CachedGraph", "GraphCache"]

_log = logging.getLogger(__name__)
_SUFFIX = ".graph"
_LEFT_BEHIND = ".writing-"
_LEFT_BEHIND_SEC = 3600.0
_DEFAULT_MAX_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class CachedGraph:
    """One file. `label`: the model's file name; `runtime`: what optimised it; both empty when the file is not ours."""

    path: Path
    size_bytes: int
    used_at_sec: float
    label: str
    runtime: str


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """Since the cache was opened. `rejected`: files that were there and not to be trusted; `failed`: disk errors."""

    hits: int = 0
    misses: int = 0
    rejected: int = 0
    stored: int = 0
    evicted: int = 0
    failed: int = 0


class GraphCache:
    """The optimised graphs in `directory`, at most `max_bytes` of them: the one that was not used for longest goes.

    Any number of processes and threads may use one directory at the same time: files are only ever replaced whole.
    """

    def __init__(self, directory: Path, *, max_bytes: int = _DEFAULT_MAX_BYTES) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self._prepared = False
        self._lock = threading.Lock()
        self._counts = {"hits": 0, "misses": 0, "rejected": 0, "stored": 0, "evicted": 0, "failed": 0}

    def get(self, key: GraphKey) -> bytes | None:
        """The graph for `key`; None when there is none that can be trusted. Blocks."""
        path = self._path(key)
        try:
            self._prepare()
            graph = read_graph_file(path, asdict(key))
        except FileNotFoundError:
            self._count("misses")
            return None
        except ForeignFile as reason:
            _log.warning("ignored the cached graph %s: %s", path, reason)
            self.reject(key)
            return None
        except OSError as failure:
            self._failed(failure)
            return None
        self._count("hits")
        return graph

    def put(self, key: GraphKey, graph: bytes, *, label: str) -> None:
        """Keep `graph`, unless it alone is over the bound. Blocks."""
        path, header = self._path(key), header_line(asdict(key), graph, label=label)
        if len(header) + len(graph) > self.max_bytes:
            return
        try:
            self._prepare()
            if path.is_dir() and not path.is_symlink():
                _remove(path)  # what a file could not replace
            write_graph_file(path, header, graph)
            self._count("stored")
            self._evict(keep=path)
        except OSError as failure:
            self._failed(failure)

    def reject(self, key: GraphKey) -> None:
        """Remove the graph for `key`: it was there, and of no use."""
        self._count("rejected")
        # Somebody else's file in our directory may be one that we cannot remove; it is not read in any case.
        with contextlib.suppress(OSError):
            _remove(self._path(key))

    @contextmanager
    def scratch_file(self) -> Iterator[Path]:
        """The path of a file yet to be written, in a private folder that goes with the block.

        Raises:
            OSError: the cache cannot be used.
        """
        try:
            self._prepare()
            folder = tempfile.mkdtemp(dir=self.directory, prefix=_LEFT_BEHIND)  # 0700
        except OSError as failure:
            self._failed(failure)
            raise
        try:
            yield Path(folder) / "graph.ort"
        except Exception as failure:
            self._count("failed")
            free_bytes = shutil.disk_usage(folder).free
            _log.warning("%s: %s, with %d bytes free", self.directory, type(failure).__name__, free_bytes)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def graphs(self) -> list[CachedGraph]:
        """What is kept, last used first; empty when there is no such directory."""
        found = []
        for path in self._files():
            with contextlib.suppress(OSError):  # another process may remove it meanwhile
                found.append(_described(path))
        return sorted(found, key=lambda graph: graph.used_at_sec, reverse=True)

    def clear(self) -> int:
        """Remove every graph, and what interrupted writers left; returns how many graphs there were.

        Raises:
            OSError: one cannot be removed.
        """
        files = self._files()
        for path in files:
            _remove(path)
        self._remove_left_behind(older_than_sec=0)
        return len(files)

    def counts(self) -> CacheCounts:
        """What happened so far."""
        with self._lock:
            return CacheCounts(**self._counts)

    def _path(self, key: GraphKey) -> Path:
        return self.directory / f"{key.digest()}{_SUFFIX}"

    def _files(self) -> list[Path]:
        if self.directory.is_symlink() or not self.directory.is_dir():
            return []
        return [path for path in self.directory.iterdir() if path.suffix == _SUFFIX]

    def _prepare(self) -> None:
        prepare_private_directory(self.directory)
        if not self._prepared:
            self._prepared = True
            self._remove_left_behind(older_than_sec=_LEFT_BEHIND_SEC)

    def _evict(self, keep: Path) -> None:
        graphs = self.graphs()
        excess_bytes = sum(graph.size_bytes for graph in graphs) - self.max_bytes
        for graph in reversed(graphs):
            if excess_bytes <= 0:
                break
            if graph.path != keep:
                _remove(graph.path)
                excess_bytes -= graph.size_bytes
                self._count("evicted")
        self._remove_left_behind(older_than_sec=_LEFT_BEHIND_SEC)

    def _remove_left_behind(self, older_than_sec: float) -> None:
        """What a process that died while it wrote could not remove; others may be writing now."""
        for path in self.directory.glob(f"{_LEFT_BEHIND}*"):
            with contextlib.suppress(OSError):
                if time.time() - path.lstat().st_mtime >= older_than_sec:
                    _remove(path)

    def _failed(self, failure: OSError) -> None:
        self._count("failed")
        _log.warning("the graph cache %s is of no use: %s", self.directory, failure.strerror or failure)

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _described(path: Path) -> CachedGraph:
    status = path.lstat()
    try:
        header = read_header(path)
        key = header.get("key")
        runtime = str(key.get("runtime", "")) if isinstance(key, dict) else ""
        label = str(header.get("label", ""))
    except (ForeignFile, OSError):
        label = runtime = ""
    return CachedGraph(path, status.st_size, status.st_mtime, label, runtime)
