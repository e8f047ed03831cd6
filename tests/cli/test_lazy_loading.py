"""`warmline --help` costs nothing, and what is not installed is named together with its remedy."""

import subprocess
import sys

import pytest

HEAVY = {"pydantic", "pydantic_settings", "numpy", "pipecat", "rich", "openai", "fastapi", "uvicorn", "asyncio"}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_nothing_heavy(option: str) -> None:
    done = python(
        "import sys\n"
        "from warmline.cli import main\n"
        f"assert main([{option!r}]) == 0\n"
        "print('MODULES', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    modules = set(done.stdout.rpartition("MODULES ")[2].split())
    assert "click" in modules
    assert modules & HEAVY == set()


@pytest.mark.core
def test_without_click_the_command_names_its_extra() -> None:
    done = python("import sys; sys.modules['click'] = None; from warmline.cli import main; sys.exit(main(['--help']))")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "warmline: click is not installed; run: pip install 'warmline[cli]'\n"


@pytest.mark.parametrize(
    ("missing", "arguments", "extras"),
    [
        ("pydantic_settings", ["config", "explain"], "cli"),
        ("uvicorn", ["serve"], "agent,local"),
        ("pipecat", ["serve"], "agent,local"),
        ("websockets", ["call"], "agent"),
        ("starlette", ["emulate", "openai"], "emulators"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(missing: str, arguments: list[str], extras: str) -> None:
    done = python(
        f"import sys; sys.modules[{missing!r}] = None; from warmline.cli import main; sys.exit(main({arguments}))"
    )
    assert done.returncode == 1
    assert done.stderr == f"warmline: {missing} is not installed; run: pip install 'warmline[{extras}]'\n"


def test_a_missing_module_of_our_own_is_a_defect_and_no_missing_extra() -> None:
    done = python(
        "import sys; sys.modules['warmline.cli.serve'] = None; from warmline.cli import main; main(['serve'])"
    )
    assert "ModuleNotFoundError" in done.stderr
    assert "pip install" not in done.stderr
