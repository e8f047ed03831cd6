"""Rules of CONTRIBUTING.md that no other tool checks."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

import warmline
from tests.structure.source_tree import PACKAGE, ROOT, in_checkout, python_files

pytestmark = pytest.mark.core

MAX_LINES = 300
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public_names(path: Path) -> list[str] | None:
    """What `__all__` lists; None without one."""
    if not path.exists():
        return None
    for node in tree(path).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.expr() as listed):
                return [str(name) for name in ast.literal_eval(listed)]
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as listed):
                return [str(name) for name in ast.literal_eval(listed)]
    return None


def test_every_package_lists_its_public_names() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    without = [in_checkout(f) for f in sorted(folders) if public_names(f / "__init__.py") is None]
    assert without == []


def imports_of(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every `from module import name` of our own."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "warmline":
            yield from ((node.module, alias.name) for alias in node.names)


def test_other_packages_are_imported_by_their_public_names() -> None:
    """`from warmline.settings.load import ...` outside `warmline.settings` reaches behind its door."""
    behind_doors = [
        f"{in_checkout(path)}: from {module} import {name}"
        for path in python_files("src")
        for module, name in imports_of(path)
        if not (is_door(module) or reaches_within_its_own_package(path, module))
    ]
    assert behind_doors == []


def reaches_within_its_own_package(path: Path, module: str) -> bool:
    own = path.relative_to(PACKAGE).parts[0] if path.is_relative_to(PACKAGE) else None
    return module.split(".")[1] == own


def is_door(module: str) -> bool:
    """Packages, top-level modules, and the vendors of `engines`, which cost an import of the vendor's SDK each."""
    is_package = (PACKAGE.parent / module.replace(".", "/") / "__init__.py").is_file()
    return is_package or module.count(".") < 2 or module.startswith("warmline.engines.")


def test_no_wait_for() -> None:
    used = [
        f"{in_checkout(path)}:{node.lineno}"
        for path in python_files("src", "tests", "bench")
        for node in ast.walk(tree(path))
        if is_wait_for(node)
    ]
    assert used == []


def is_wait_for(node: ast.AST) -> TypeGuard[ast.expr | ast.stmt]:
    """`asyncio.wait_for`, or `from asyncio import wait_for`."""
    match node:
        case ast.Attribute(value=ast.Name(id="asyncio"), attr="wait_for"):
            return True
        case ast.ImportFrom(module="asyncio", names=names):
            return any(alias.name == "wait_for" for alias in names)
    return False


def test_the_ban_on_wait_for_would_notice() -> None:
    for code in ("await asyncio.wait_for(x, 1)", "from asyncio import wait_for", "run = asyncio.wait_for"):
        assert any(is_wait_for(node) for node in ast.walk(ast.parse(code)))


def test_files_are_short() -> None:
    long = {
        in_checkout(path): lines
        for path in python_files("src", "tests", "bench")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}


def test_files_are_named_for_a_concept() -> None:
    vague = [in_checkout(path) for path in python_files("src", "bench") if path.stem in FORBIDDEN_NAMES]
    assert vague == []


def test_every_source_says_what_it_is_for() -> None:
    silent = [in_checkout(path) for path in python_files("src", "bench") if not ast.get_docstring(tree(path))]
    assert silent == []


def test_the_changelog_knows_this_version() -> None:
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert any(warmline.__version__ in heading for heading in headings)
