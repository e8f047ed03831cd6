"""A package imports only from what stands below it."""

import subprocess
import sys
from pathlib import Path

from tests.structure.source_tree import PACKAGE, ROOT


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    # Its cache is keyed by file times; a test must not depend on them.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_the_layers_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contract_would_notice(tmp_path: Path) -> None:
    """A package that is in no layer, and an import upwards, are both refused."""
    source = tmp_path / "warmline"
    for path in PACKAGE.rglob("*.py"):
        copy = source / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (source / "errors.py").write_text("import warmline.cli\n")
    assert "warmline.errors is not allowed to import warmline.cli" in lint_imports(tmp_path).stdout
    (source / "errors.py").write_bytes((PACKAGE / "errors.py").read_bytes())
    (source / "homeless").mkdir()
    (source / "homeless" / "__init__.py").write_text("")
    assert "homeless" in lint_imports(tmp_path).stdout
