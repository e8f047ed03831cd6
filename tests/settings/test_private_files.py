"""The token's file and the cache directory."""

import os
import stat
from pathlib import Path

import pytest

from warmline.errors import ConfigError
from warmline.settings import Settings, load_settings, prepare_cache_dir


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"short\n", r"^token \(command line, --token-file t\): should be at least 16"),
        (b"", "should be at least 16"),
        (b"two-lines-of-it\nare-not-a-token", "should be at least 16"),
        (b"\xff" * 20, "token file t: expected one line of ASCII"),
        (b"x" * 5000, "token file t: expected one line of ASCII"),
    ],
)
def test_what_is_wrong_with_a_token_file(content: bytes, message: str) -> None:
    Path("t").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_settings(token_file=Path("t"))


def test_a_token_file_must_exist() -> None:
    with pytest.raises(ConfigError, match="token file t: cannot be read: No such file"):
        load_settings(token_file=Path("t"))


def test_the_cache_dir_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = Settings().cache_dir
    assert path.is_relative_to(tmp_path)
    assert path.name == "warmline"


def test_the_cache_dir_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = prepare_cache_dir(tmp_path / "a" / "warmline")
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert prepare_cache_dir(path) == path


def test_a_readable_cache_dir_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert stat.S_IMODE(prepare_cache_dir(tmp_path).stat().st_mode) == 0o700


def test_a_cache_dir_that_others_may_have_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    with pytest.raises(ConfigError, match="can be written to by other users"):
        prepare_cache_dir(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_someone_elses_cache_dir_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 12345, -1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        prepare_cache_dir(tmp_path)


def test_a_file_is_no_cache_dir(tmp_path: Path) -> None:
    (tmp_path / "warmline").write_text("")
    with pytest.raises(ConfigError, match="cannot be used: File exists"):
        prepare_cache_dir(tmp_path / "warmline")
