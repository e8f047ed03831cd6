"""`warmline cache` shows what is kept and removes that alone."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from warmline.cli import main
from warmline.models import GraphCache, GraphKey

Run = Callable[..., str]

KEY = GraphKey("a" * 64, "onnxruntime 1.0 built for a test", "{}", "this machine")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `warmline` with these arguments in an empty directory; what it printed, or complained with status 2."""
    for name in [name for name in os.environ if name.startswith(("WARMLINE_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, status: int = 0) -> str:
        assert main(arguments) == status
        printed = capsys.readouterr()
        assert (printed.err == "") == (status == 0)
        return printed.err or printed.out

    return run


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    directory = tmp_path / "cache" / "warmline"
    GraphCache(directory / "graphs").put(KEY, b"x" * 2_000_000, label="voice.onnx")
    (directory / "pocketsphinx").mkdir()
    (directory / "pocketsphinx" / "narrow-1.lm").write_text("a language model")
    (directory / "notes.txt").write_text("somebody's own")
    directory.chmod(0o700)
    return directory


def test_it_shows_what_is_kept(run: Run, kept: Path) -> None:
    first, graph, recogniser = run("cache").splitlines()
    assert first == f"{kept}: 2 files (1.9 MiB)"
    assert "voice.onnx  [onnxruntime 1.0 built for a test]" in graph
    assert "narrow-1.lm  [pocketsphinx]" in recogniser


def test_json_has_every_file(run: Run, kept: Path) -> None:
    listed = json.loads(run("cache", "--json"))
    assert [(each["kind"], each["what"]) for each in listed] == [
        ("graph", "voice.onnx"),
        ("pocketsphinx", "narrow-1.lm"),
    ]
    assert all(Path(each["file"]).is_file() for each in listed)
    assert listed[0]["bytes"] > 2_000_000


def test_clear_removes_what_can_be_made_anew_and_nothing_else(run: Run, kept: Path) -> None:
    assert run("cache", "clear") == f"Removed 2 files (1.9 MiB) from {kept}\n"
    assert [path.name for path in kept.rglob("*") if path.is_file()] == ["notes.txt"]
    assert run("cache") == f"{kept}: 0 files (0.0 MiB)\n"


def test_clear_where_nothing_is(run: Run, tmp_path: Path) -> None:
    assert run("cache", "clear") == f"Removed 0 files (0.0 MiB) from {tmp_path}/cache/warmline\n"
    assert not (tmp_path / "cache" / "warmline").exists()


def test_a_directory_that_others_may_write_to_is_left_alone(run: Run, kept: Path) -> None:
    kept.chmod(0o777)
    assert "can be written to by other users" in run("cache", "clear", status=2)
    assert len(GraphCache(kept / "graphs").graphs()) == 1


def test_a_graph_that_cannot_be_read_is_shown_as_such(run: Run, kept: Path) -> None:
    [graph] = GraphCache(kept / "graphs").graphs()
    graph.path.write_bytes(b"\x00\xff")
    assert "unreadable, will be replaced" in run("cache")


def test_the_setting_says_where(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text(f'cache_dir = "{tmp_path}/elsewhere"\n')
    assert run("cache", "--config", "other.toml").startswith(f"{tmp_path}/elsewhere: 0 files")
    monkeypatch.setenv("WARMLINE_CACHE_DIR", str(tmp_path / "there"))
    assert run("cache").startswith(f"{tmp_path}/there: 0 files")
