"""What packages import at their top and no call uses: left out of the start, and loaded if somebody asks after all.

The OpenAI SDK's `openai.types` brings four hundred modules of models for endpoints that the agent never asks; aiohttp
comes with the SDK's second HTTP client and with Pipecat's file downloads. They took a third of the imports' time.
"""

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import get_ident
from types import ModuleType

__all__ = ["without_unused_imports"]

_TYPES = "openai.types"
_ON_FIRST_USE = frozenset({"aiohttp"})
# Asks aiohttp for its classes at once. The SDK takes its absence well: then `DefaultAioHttpClient` cannot be made.
_LEFT_OUT = frozenset({"openai._vendor.httpx_aiohttp"})


@contextmanager
def without_unused_imports() -> Iterator[None]:
    """Imports within leave them out, in all threads. What somebody has loaded before stays as it is.

    For a process that is all Warmline's own: elsewhere someone may want the SDK's other HTTP client.
    """
    finder = _Finder()
    # Another list each time: whoever imports in another thread walks the old one, and would skip a finder if it shrank.
    sys.meta_path = [finder, *sys.meta_path]
    try:
        yield
    finally:
        sys.meta_path = [each for each in sys.meta_path if each is not finder]


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name in _LEFT_OUT:
            raise ModuleNotFoundError(f"{name} is left out", name=name)
        if name not in _ON_FIRST_USE and name != _TYPES and not name.startswith(f"{_TYPES}."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None or spec.submodule_search_locations is None:
            return spec
        spec.loader = _FirstUse(spec.loader)
        return spec


class _FirstUse(Loader):
    """Makes the package, and runs its `__init__` when a name is asked of it that is none of its submodules."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._running: set[int] = set()

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def absent(name: str) -> object:
            """What `__getattr__` of the module does (PEP 562)."""
            if (name.startswith("__") and name != "__all__") or get_ident() in self._running:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            submodule = f"{module.__name__}.{name}"
            if importlib.util.find_spec(submodule) is not None:
                return importlib.import_module(submodule)
            self._run(module)
            if vars(module).get("__getattr__") is absent:  # else it has one of its own now
                del module.__getattr__
            return getattr(module, name)

        vars(module)["__getattr__"] = absent

    def _run(self, module: ModuleType) -> None:
        """Two threads may come here at once: to import the same names twice does no harm, a lock here might."""
        self._running.add(get_ident())
        try:
            self._loader.exec_module(module)
        finally:
            self._running.discard(get_ident())
