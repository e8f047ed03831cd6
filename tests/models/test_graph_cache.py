"""Only a graph that was written by us, whole, for exactly this key, is ever given back."""

import errno
import os
import stat
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.processes import open_fds
from warmline.models import CacheCounts, GraphCache, GraphKey

KEY = GraphKey("a" * 64, "onnxruntime 1.0", "{}", "this machine")
GRAPH = b"a graph, optimised" * 100


def the_file(cache: GraphCache) -> Path:
    [graph] = cache.graphs()
    return graph.path


def kept(tmp_path: Path) -> GraphCache:
    cache = GraphCache(tmp_path / "graphs")
    cache.put(KEY, GRAPH, label="m.onnx")
    return cache


def test_what_was_kept_comes_back(tmp_path):
    cache = GraphCache(tmp_path / "graphs")
    assert cache.get(KEY) is None
    cache.put(KEY, GRAPH, label="m.onnx")
    assert cache.get(KEY) == GRAPH
    assert GraphCache(tmp_path / "graphs").get(KEY) == GRAPH
    assert cache.counts() == CacheCounts(hits=1, misses=1, stored=1)
    [graph] = cache.graphs()
    assert (graph.label, graph.runtime) == ("m.onnx", "onnxruntime 1.0")


def test_it_is_all_for_its_owner_alone(tmp_path):
    cache = kept(tmp_path)
    assert stat.S_IMODE(cache.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(the_file(cache).stat().st_mode) == 0o600


@pytest.mark.parametrize("field", list(asdict(KEY)))
def test_another_key_finds_nothing(tmp_path, field):
    cache = kept(tmp_path)
    other = replace(KEY, **{field: "other"})
    assert cache.get(other) is None
    # Nor does it when the file of one key is put in the place of another's.
    the_file(cache).rename(cache.directory / f"{other.digest()}.graph")
    assert cache.get(other) is None
    assert cache.counts().rejected == 1


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(bytes(content))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_header(path: Path) -> None:
    path.write_bytes(b"\x00" * 200_000)


def another_format(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"warmline graph 1", b"warmline graph 0"))


def no_size(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"bytes": ', b'"bytes": -'))


def endless(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"bytes": ', b'"bytes": 9999999999999999'))


def brackets(path: Path) -> None:
    path.write_bytes(b"[" * 60_000)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)
    (path / "inside").write_text("")


def open_to_others(path: Path) -> None:
    path.chmod(0o644)


def a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def given_away(path: Path) -> None:
    os.chown(path, 12345, -1)


DAMAGES = [cut, lengthen, flip, empty, no_header, another_format, no_size, endless, brackets]
DAMAGES += [open_to_others, a_link, a_pipe, a_directory]
if os.geteuid() == 0:  # only root can give a file away
    DAMAGES.append(given_away)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_not_what_was_written_is_ignored_and_replaced(tmp_path, damage):
    cache = kept(tmp_path)
    damage(the_file(cache))
    before = open_fds()
    assert cache.get(KEY) is None
    assert open_fds() == before
    counts = cache.counts()
    assert (counts.hits, counts.rejected + counts.failed) == (0, 1)
    cache.put(KEY, GRAPH, label="m.onnx")
    assert cache.get(KEY) == GRAPH
    assert not the_file(cache).is_symlink()


def test_a_directory_that_others_may_write_to_is_not_used(tmp_path):
    cache = kept(tmp_path)
    cache.directory.chmod(0o777)
    assert cache.get(KEY) is None
    cache.put(KEY, GRAPH, label="m.onnx")
    assert cache.counts() == CacheCounts(stored=1, failed=2)


def test_a_directory_behind_a_link_is_not_used(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "graphs").symlink_to("real")
    cache = kept(tmp_path)
    assert cache.counts().failed == 1
    assert (list((tmp_path / "real").iterdir()), cache.graphs(), cache.clear()) == ([], [], 0)


def test_a_directory_that_others_could_only_read_is_closed(tmp_path):
    (tmp_path / "graphs").mkdir(mode=0o755)
    assert stat.S_IMODE(kept(tmp_path).directory.stat().st_mode) == 0o700


def test_a_place_where_nothing_can_be_made_fails_nobody(tmp_path):
    (tmp_path / "file").write_text("")
    cache = GraphCache(tmp_path / "file" / "graphs")
    assert cache.get(KEY) is None
    cache.put(KEY, GRAPH, label="m.onnx")
    assert cache.counts().failed == 2


def test_the_one_unused_for_longest_goes(tmp_path):
    cache = GraphCache(tmp_path / "graphs", max_bytes=3 * (len(GRAPH) + 500))
    keys = [replace(KEY, machine=f"machine {i}") for i in range(4)]
    for age, key in enumerate(keys[:3]):
        cache.put(key, GRAPH, label=f"{age}")
        path = cache.directory / f"{key.digest()}.graph"
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    assert cache.get(keys[0]) == GRAPH  # the oldest is now the last used
    cache.put(keys[3], GRAPH, label="3")
    assert [cache.get(key) is not None for key in keys] == [True, False, True, True]
    assert cache.counts().evicted == 1


def test_what_is_over_the_bound_by_itself_is_not_kept(tmp_path):
    size_bytes = the_file(kept(tmp_path)).stat().st_size  # with its header
    for max_bytes, count in ((size_bytes - 1, 0), (size_bytes, 1)):
        cache = GraphCache(tmp_path / f"{max_bytes}", max_bytes=max_bytes)
        cache.put(KEY, GRAPH, label="m.onnx")
        assert len(cache.graphs()) == count


def test_clearing_removes_graphs_and_what_dead_writers_left(tmp_path):
    cache = kept(tmp_path)
    (cache.directory / ".writing-abc").write_bytes(b"half")
    (cache.directory / ".writing-def").mkdir()
    (cache.directory / "notes.txt").write_text("not ours")
    assert cache.clear() == 1
    assert [path.name for path in cache.directory.iterdir()] == ["notes.txt"]


def test_what_a_dead_writer_left_goes_with_the_first_use_an_hour_later(tmp_path):
    cache = kept(tmp_path)
    old, fresh = cache.directory / ".writing-old", cache.directory / ".writing-new"
    for folder in (old, fresh):
        folder.mkdir()
    os.utime(old, (1_000_000, 1_000_000))
    assert GraphCache(cache.directory).get(KEY) == GRAPH
    assert (old.exists(), fresh.exists()) == (False, True)


@pytest.mark.parametrize("foreign", [brackets, a_directory])
def test_foreign_files_beside_it_are_listed_bounded_and_cleared_like_any_other(tmp_path, foreign):
    cache = kept(tmp_path)
    other = cache.directory / "other.graph"
    other.write_bytes(b"")
    foreign(other)
    assert {graph.label for graph in cache.graphs()} == {"m.onnx", ""}
    cache.put(replace(KEY, machine="b"), GRAPH, label="b")
    assert cache.counts().stored == 2
    assert cache.clear() == 3
    assert list(cache.directory.iterdir()) == []


def test_a_disk_that_can_only_be_read_serves_what_it_has(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    cache = kept(tmp_path)
    monkeypatch.setattr(os, "utime", refuse)
    assert cache.get(KEY) == GRAPH


def test_what_could_not_be_written_is_counted_whoever_writes_it(tmp_path):
    cache = kept(tmp_path)
    with pytest.raises(RuntimeError, match="disk full"), cache.scratch_file():
        raise RuntimeError("disk full, as a library says it")
    assert cache.counts().failed == 1
    assert [path.suffix for path in cache.directory.iterdir()] == [".graph"]


def test_what_is_being_written_now_survives_an_eviction(tmp_path):
    cache = kept(tmp_path)
    with cache.scratch_file() as file:
        file.write_bytes(b"half")
        os.utime(file.parent, (1_000_000, 1_000_000))
        cache.put(replace(KEY, machine="b"), GRAPH, label="b")
        assert not file.exists()  # after an hour its writer counts as dead
    with cache.scratch_file() as file:
        file.write_bytes(b"half")
        cache.put(replace(KEY, machine="c"), GRAPH, label="c")
        assert file.exists()
    assert not file.parent.exists()


WRITE_AND_READ = """
import sys
from pathlib import Path
from warmline.models import GraphCache, GraphKey
cache = GraphCache(Path(sys.argv[1]))
key = GraphKey("a" * 64, "onnxruntime 1.0", "{}", "this machine")
sys.stdin.read(1)
for i in range(150):
    cache.put(key, sys.argv[2].encode() * 50_000, label="m")
    graph = cache.get(key)
    assert graph is not None and graph in (b"a" * 50_000, b"b" * 50_000), graph
print(cache.counts())
"""


def test_two_processes_at_once_never_see_half_a_graph(tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WRITE_AND_READ, str(tmp_path / "graphs"), letter],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for letter in "ab"
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("x")
        writer.stdin.flush()
    outputs = [writer.communicate(timeout=60) for writer in writers]
    assert [error for _, error in outputs] == ["", ""]
    expected = CacheCounts(hits=150, stored=150)
    assert [out.strip() for out, _ in outputs] == [str(expected)] * 2
    assert len(GraphCache(tmp_path / "graphs").graphs()) == 1
