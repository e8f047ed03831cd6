"""Engines whose libraries are optional: whether they are there, without the cost of importing them."""

from importlib.util import find_spec
from pathlib import Path

from warmline.errors import ConfigError

__all__ = ["require_package"]


def require_package(module: str, *, extra: str, path: Path) -> None:
    """Make sure that `module`, which loads the model at `path`, could be imported.

    Raises:
        ConfigError: it is not installed; names the extra that brings it.
    """
    if find_spec(module) is None:
        package = module.replace("_", "-")
        raise ConfigError(f"{package}, which loads {path}, is not installed; run: pip install 'warmline[{extra}]'")
