"""A token from a file, as container platforms hand out secrets."""

from pathlib import Path

from warmline.errors import ConfigError

__all__ = ["read_token_file"]

_MAX_BYTES = 4096


def read_token_file(path: Path) -> str:
    """The token in `path`, without white space around it.

    Raises:
        ConfigError: the file is unreadable, too large or no text.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"token file {path}: cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES or not raw.isascii():
        raise ConfigError(f"token file {path}: expected one line of ASCII text, at most {_MAX_BYTES} bytes")
    return raw.decode("ascii").strip()
