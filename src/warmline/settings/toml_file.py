"""A TOML file of a person's: read with a bound on its size, and answered with file and line when it is none."""

import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from warmline.errors import ConfigError
from warmline.settings.toml_lines import KeyPath, toml_lines

__all__ = ["MAX_BYTES", "TomlFile", "read_toml"]

MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a file says, and on which line it says what."""

    path: Path
    values: Mapping[str, object]
    lines: Mapping[KeyPath, int]

    def where(self, key: str) -> str:
        """File and line of a key at the top of the document."""
        return f"{self.path}:{self.lines.get((key,), 1)}"


def read_toml(path: Path) -> TomlFile:
    """Read at most 64 KiB of TOML 1.0 in UTF-8.

    Raises:
        ConfigError: the file is unreadable, no regular file, too large, no UTF-8 or no TOML.
    """
    text = _decode(path, _read(path))
    try:
        return TomlFile(path, tomllib.loads(text), toml_lines(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply") from error


def _read(path: Path) -> bytes:
    try:
        # A FIFO or a device would block or never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path}: not a regular file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES // 1024} KiB")
    return raw


def _decode(path: Path, raw: bytes) -> str:
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: a NUL byte; this is no text in UTF-8")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: byte {error.start} is not UTF-8") from error
