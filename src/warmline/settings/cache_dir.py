"""Where derived files may be kept between starts: a directory that nobody else can write to or read."""

import os
import stat
from pathlib import Path

from platformdirs import user_cache_path

from warmline.errors import ConfigError

__all__ = ["default_cache_dir", "prepare_cache_dir"]

_OWNER_ONLY = 0o700


def default_cache_dir() -> Path:
    """The platform's place for caches: `~/.cache/warmline` on Linux, `~/Library/Caches/warmline` on macOS."""
    return user_cache_path("warmline", appauthor=False)


def prepare_cache_dir(path: Path) -> Path:
    """Create `path` with mode 0700 if need be, and make sure that it is ours alone.

    Raises:
        ConfigError: it cannot be made, is no directory, belongs to somebody else, or others may enter it.
    """
    try:
        path.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        status = path.stat()
    except OSError as error:
        raise ConfigError(f"cache_dir {path} cannot be used: {error.strerror}") from error
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        raise ConfigError(f"cache_dir {path} belongs to another user; choose another one (WARMLINE_CACHE_DIR)")
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & ~_OWNER_ONLY:
        raise ConfigError(f"cache_dir {path} is open to other users; run: chmod 700 '{path}'")
    return path
