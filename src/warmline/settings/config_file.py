"""`warmline.toml`: read with a bound on its size, and answered with file, line and key when something is wrong."""

import difflib
import stat
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from warmline.errors import ConfigError
from warmline.settings.toml_lines import toml_lines

__all__ = ["DEFAULT_NAME", "MAX_BYTES", "ConfigFile", "read_config_file"]

DEFAULT_NAME = "warmline.toml"
MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file sets: `values` by setting name, and `lines`, the line on which each is set."""

    path: Path
    values: Mapping[str, object] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def where(self, name: str) -> str:
        """File and line that set `name`."""
        return f"{self.path} line {self.lines[name]}"


def read_config_file(path: Path, known: Collection[str], secret: Collection[str]) -> ConfigFile:
    """Read a flat TOML file of settings.

    Args:
        known: the settings that a file may set.
        secret: the settings that it must not, because files get copied and committed.

    Raises:
        ConfigError: the file is unreadable, too large, no TOML, or has a key that is unknown or secret.
    """
    text = _read_bounded(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply") from error
    lines = toml_lines(text)
    file = ConfigFile(path, values, {name: lines.get((name,), 1) for name in values})
    for name, value in values.items():
        _check_key(file, name, value, known, secret)
    return file


def _read_bounded(path: Path) -> str:
    try:
        # A FIFO or a device would block or never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path}: not a regular file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES // 1024} KiB, which no file of settings is")
        return raw.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error


def _check_key(file: ConfigFile, name: str, value: object, known: Collection[str], secret: Collection[str]) -> None:
    where = file.where(name)
    if name in secret:
        raise ConfigError(f"{where}: {name} is a secret; set WARMLINE_{name.upper()} in the environment instead")
    if name not in known:
        close = difflib.get_close_matches(name.replace("-", "_").lower(), known, n=1)
        raise ConfigError(f"{where}: unknown key {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
    # Pydantic would take true for the number 1.
    if isinstance(value, bool | dict):
        raise ConfigError(f"{where}: {name} cannot be a {'table' if isinstance(value, dict) else 'boolean'}")
