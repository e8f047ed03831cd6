"""0, or one clear line on stderr and a status that says which kind of failure it was."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from warmline.cli import commands, main
from warmline.errors import EngineError


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["serve", "-h"], ["config", "explain"]])
def test_what_succeeds(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["polish"], "No such command 'polish'. (see 'warmline --help')"),
        (["serve", "--qqqq"], "No such option '--qqqq'. (see 'warmline serve --help')"),
        (["serve", "--port", "x"], "Invalid value for '--port': 'x' is not a valid integer. (see"),
        (["serve", "--port", "99999"], "port (command line, --port): should be less than or equal to 65535"),
        (["serve", "--cold", "--warm", "all"], "--cold means --warm none, not --warm all (see"),
        (["serve", "--scenario", "nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory"),
        (["serve", "--config", "nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory"),
        (["serve", "--host", "0.0.0.0"], "token: host 0.0.0.0 can be reached from other machines, so a token is"),
        (["serve", "--token", "x"], "No such option '--token'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Run, arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"warmline: {message}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["config"], ["emulate"]])
def test_no_command_shows_help_and_fails(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def test_the_installed_command_is_the_same() -> None:
    done = subprocess.run([Path(sys.executable).with_name("warmline"), "--version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"warmline, version ")


def test_a_reader_that_leaves_is_no_drama(plain_environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" -m warmline serve --help | true; exit "${PIPESTATUS[0]}"', sys.executable],
        cwd=tmp_path,
        env=plain_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1)  # it depends on who is quicker
    assert done.stderr == ""


def test_a_cache_dir_that_is_a_file_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = run("serve", WARMLINE_CACHE_DIR="taken")
    assert (done.returncode, done.stderr) == (2, "warmline: cache_dir taken cannot be used: File exists\n")


def test_what_fails_at_once_in_several_places_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a warm-up ends whose parallel steps failed."""

    def fail() -> None:
        raise ExceptionGroup("two steps", [EngineError("no voice"), ExceptionGroup("more", [EngineError("no ear")])])

    monkeypatch.setattr(commands.warmline, "main", lambda **_: fail())
    assert main([]) == 1
    assert capsys.readouterr().err == "warmline: no voice; no ear\n"
