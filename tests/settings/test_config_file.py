"""`warmline.toml`: found, bounded, and answered with file, line and key."""

import os
from pathlib import Path

import pytest

from warmline.errors import ConfigError
from warmline.settings import load_settings


def write(content: bytes | str) -> Path:
    path = Path("mine.toml")
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\nport = 1\nmax_cals = 2\n", "mine.toml:3: unknown key 'max_cals'; did you mean 'max_calls'?"),
        ("max-calls = 2\n", "mine.toml:1: unknown key 'max-calls'; did you mean 'max_calls'?"),
        ("qwertz = 2\n", "mine.toml:1: unknown key 'qwertz'"),
        ("\n[agent]\nport = 1\n", "mine.toml:2: unknown key 'agent'"),
        ('llm_api_key = "k"\n', "mine.toml:1: llm_api_key is a secret; set WARMLINE_LLM_API_KEY"),
        ('# x\ntoken = "k"\n', "mine.toml:2: token is a secret; set WARMLINE_TOKEN"),
        ("port = true\n", "mine.toml:1: port cannot be a boolean"),
        ("port = { a = 1 }\n", "mine.toml:1: port cannot be a table"),
        ("\nport = 99999\n", "port (mine.toml:2): should be less than or equal to 65535"),
        ("idle_timeout_sec = inf\n", "idle_timeout_sec (mine.toml:1): should be a finite number"),
        ("port = \n", "mine.toml: not TOML: "),
        ("port = 1\nport = 2\n", "mine.toml: not TOML: "),
        ("x = " + "[" * 20_000 + "]" * 20_000, "mine.toml: nested too deeply"),
        (b"\xff\xfe", "mine.toml:1: byte 0 is not UTF-8"),
        ("#" * (64 * 1024 + 1), "mine.toml: larger than 64 KiB"),
    ],
)
def test_what_is_wrong_with_a_file(content: bytes | str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(config=write(content))
    assert str(refused.value).startswith(message)


def test_64_kib_are_taken() -> None:
    assert load_settings(config=write("port = 1\n".ljust(64 * 1024, "#"))).port == 1


def test_a_named_file_must_exist() -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: cannot be read: No such file"):
        load_settings(config=Path("nowhere.toml"))


def test_a_fifo_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ConfigError, match=r"pipe.toml: not a regular file"):
        load_settings(config=tmp_path / "pipe.toml")


def test_a_named_file_replaces_the_one_of_the_working_directory() -> None:
    Path("warmline.toml").write_text("port = 1\nmax_calls = 7\n")
    settings = load_settings(config=write("port = 2\n"))
    assert (settings.port, settings.max_calls) == (2, 8)


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc" / "w.toml"
    file.write_text('scenario = "inn.toml"\ncache_dir = "/var/cache/w"\n')
    settings = load_settings(config=file)
    assert (settings.scenario, settings.cache_dir) == (tmp_path / "etc" / "inn.toml", Path("/var/cache/w"))
