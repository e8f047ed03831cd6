"""`warmline.toml`: settings in a flat TOML file."""

import difflib
from collections.abc import Collection
from pathlib import Path

from warmline.errors import ConfigError
from warmline.settings.toml_file import TomlFile, read_toml

__all__ = ["DEFAULT_NAME", "read_config_file"]

DEFAULT_NAME = "warmline.toml"


def read_config_file(path: Path, known: Collection[str], secret: Collection[str]) -> TomlFile:
    """Read a file of settings.

    Args:
        known: the settings that a file may set.
        secret: the settings that it must not, because files get copied and committed.

    Raises:
        ConfigError: the file is no TOML of at most 64 KiB, or has a key that is unknown or secret.
    """
    file = read_toml(path)
    for name, value in file.values.items():
        if name in secret:
            remedy = f"set WARMLINE_{name.upper()} in the environment instead"
            raise ConfigError(f"{file.where(name)}: {name} is a secret; {remedy}")
        if name not in known:
            raise ConfigError(f"{file.where(name)}: unknown key {name!r}{_suggestion(name, known)}")
        # Pydantic would take true for the number 1.
        if isinstance(value, bool | dict):
            kind = "table" if isinstance(value, dict) else "boolean"
            raise ConfigError(f"{file.where(name)}: {name} cannot be a {kind}")
    return file


def _suggestion(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name.replace("-", "_").lower(), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
