"""Where derived files may be kept between starts: a directory that nobody else can write to or read."""

import os
import stat
from pathlib import Path

from platformdirs import user_cache_path

from warmline.errors import ConfigError

__all__ = ["default_cache_dir", "prepare_cache_dir"]

_OWNER_ONLY = 0o700
_OTHERS_MAY_WRITE = 0o022


def default_cache_dir() -> Path:
    """The platform's place for caches: `~/.cache/warmline` on Linux, `~/Library/Caches/warmline` on macOS."""
    return user_cache_path("warmline", appauthor=False)


def prepare_cache_dir(path: Path) -> Path:
    """Make sure that `path` is a directory of ours alone, with mode 0700.

    Raises:
        ConfigError: it cannot be made, is no directory, belongs to somebody else, or others may have written to it.
    """
    try:
        path.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        if os.name == "posix":
            _make_private(path, path.stat())
    except OSError as error:
        raise ConfigError(f"cache_dir {path} cannot be used: {error.strerror}") from error
    return path


def _make_private(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.getuid():
        raise ConfigError(f"cache_dir {path} belongs to another user; choose another one (WARMLINE_CACHE_DIR)")
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OTHERS_MAY_WRITE:
        raise ConfigError(f"cache_dir {path} can be written to by other users; remove it, or choose another one")
    if mode != _OWNER_ONLY:
        path.chmod(_OWNER_ONLY)
