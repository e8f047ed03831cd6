"""What `make lock` wrote serves every machine, and is what pyproject.toml asks for."""

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.structure.source_tree import ROOT

pytestmark = pytest.mark.core

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
ASKED_FOR = {
    "run": [
        *EXTRAS["agent"],
        *EXTRAS["cli"],
        *EXTRAS["openai"],
        *EXTRAS["emulators"],
        *EXTRAS["local"],
        *EXTRAS["report"],
    ],
    "dev": [*GROUPS["core"], *GROUPS["test"], *GROUPS["check"]],
    "core": GROUPS["core"],
}


def lines_of(name: str) -> list[str]:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def pins(name: str) -> list[Requirement]:
    return [Requirement(line.rstrip(" \\")) for line in lines_of(name) if "==" in line and not line.startswith("#")]


@pytest.mark.parametrize("name", ["run", "dev", "core"])
def test_they_know_no_machine_and_no_index(name: str) -> None:
    assert [line for line in lines_of(name) if "://" in line or line.startswith(("-", "/", "."))] == []


@pytest.mark.parametrize("name", ["run", "dev", "core"])
def test_every_pin_has_a_hash(name: str) -> None:
    lines = lines_of(name)
    bare = [a for a, b in zip(lines, [*lines[1:], ""], strict=True) if "==" in a and "--hash=sha256:" not in b]
    assert bare == []


@pytest.mark.parametrize("name", ["run", "dev", "core"])
def test_everything_asked_for_is_pinned(name: str) -> None:
    """Otherwise run `make lock`."""
    pinned = pins(name)
    asked = [Requirement(each) for each in ASKED_FOR[name] if isinstance(each, str)]
    missing = [
        str(want)
        for want in asked
        if want.name != "warmline"
        if not any(
            canonicalize_name(pin.name) == canonicalize_name(want.name)
            and all(want.specifier.contains(each.version, prereleases=True) for each in pin.specifier)
            for pin in pinned
        )
    ]
    assert len(asked) >= 2
    assert missing == []


def test_the_tools_do_not_change_what_runs() -> None:
    assert {str(pin) for pin in pins("run")} <= {str(pin) for pin in pins("dev")}
