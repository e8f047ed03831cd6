"""The checkout, for tests about the sources themselves."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "warmline"


def python_files(*folders: str) -> list[Path]:
    """All Python files below these folders of the checkout."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def in_checkout(path: Path) -> str:
    """How a file is called in a message."""
    return path.relative_to(ROOT).as_posix()
