"""Two generations of one library: httpx on httpcore, httpx2 on httpcore2. Everything else here speaks to both."""

from __future__ import annotations

import contextlib
import functools
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warmline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Dialect", "dialect_named", "dialect_of"]

_CORES = {"httpx": "httpcore", "httpx2": "httpcore2"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """The pair of modules that a client is made of, loaded when it is first met."""

    name: str
    httpx: Any
    core: Any

    def error(self, name: str, message: str) -> Exception:
        """An error of the outer library (`ConnectError`, `PoolTimeout`...), which is what callers catch."""
        made: Exception = getattr(self.httpx, name)(message)
        return made

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of the inner library leave as those of the same name of the outer one."""
        try:
            yield
        except Exception as error:
            outer = self.outer(error)
            if outer is None:
                raise
            raise outer from error

    def outer(self, error: BaseException) -> Exception | None:
        """The outer library's twin of `error`; None when `error` is none of the inner library's."""
        for kind in type(error).__mro__:
            if kind.__module__.partition(".")[0] == self.core.__name__:
                twin = getattr(self.httpx, kind.__name__, None)
                if twin is not None:
                    return twin(str(error))  # type: ignore[no-any-return]  # an exception class of httpx
        return None


@functools.cache
def dialect_named(name: str) -> Dialect:
    """The dialect `httpx` or `httpx2`.

    Raises:
        ConfigError: no such dialect, or it is not installed.
    """
    if name not in _CORES:
        raise ConfigError(f"HTTP library {name!r}: expected one of {', '.join(_CORES)}")
    try:
        return Dialect(name, importlib.import_module(name), importlib.import_module(_CORES[name]))
    except ImportError as error:
        raise ConfigError(f"{name} is not installed: pip install 'warmline[http]'") from error


def dialect_of(thing: object) -> Dialect | None:
    """The dialect that a client or transport belongs to, by its class; None for anything else."""
    for kind in type(thing).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in _CORES:
            return dialect_named(root)
    return None
