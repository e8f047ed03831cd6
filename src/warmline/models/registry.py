"""The weights of one process: each loaded once, by whoever asks first, and freed by whoever lets go last."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from warmline.clock import Clock, SystemClock
from warmline.errors import ModelError, WarmlineError
from warmline.models.source import ModelSource
from warmline.startup import wait_for_at_exit

__all__ = ["LoadedModel", "ModelRegistry", "RegistryCounts", "SharedWeights"]

_Weights = TypeVar("_Weights")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """One loaded model: how many hold it, and how long its load and first inferences took."""

    name: str
    users: int
    load_ms: float
    exercise_ms: float


@dataclass(frozen=True, slots=True)
class RegistryCounts:
    """Since the registry was made. `shared`: takes that loaded nothing, because somebody else had or was about to."""

    loaded: int = 0
    shared: int = 0
    failed: int = 0
    released: int = 0


@dataclass(eq=False, slots=True)
class _Entry:
    source: ModelSource[Any]
    users: int = 0
    load_ms: float = 0.0
    exercise_ms: float = 0.0
    weights: Future[Any] = field(default_factory=Future)
    proofs: list[object] = field(default_factory=list)
    proving: threading.Lock = field(default_factory=threading.Lock)


class SharedWeights(Generic[_Weights]):
    """One user's hold on shared weights. Also a context manager that releases at its end."""

    def __init__(self, registry: "ModelRegistry", entry: _Entry) -> None:
        self._registry = registry
        self._entry: _Entry | None = entry
        self._name = entry.source.name

    @property
    def weights(self) -> _Weights:
        """The weights; not to be used after `release`.

        Raises:
            ModelError: they were released.
        """
        if self._entry is None:
            raise ModelError(f"the weights of {self._name} were released")
        return cast("_Weights", self._entry.weights.result())

    def release(self) -> None:
        """Let go; the last user frees the memory. Harmless when called twice."""
        entry, self._entry = self._entry, None
        if entry is not None:
            self._registry._leave(entry)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class ModelRegistry:
    """Loads each source once, whatever asks at the same time, from any thread and any event loop.

    A load that failed is forgotten: the next taker tries anew. A load whose takers have all gone is finished and freed.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._entries: dict[ModelSource[Any], _Entry] = {}
        self._counts = {"loaded": 0, "shared": 0, "failed": 0, "released": 0}

    async def take(self, source: ModelSource[_Weights]) -> SharedWeights[_Weights]:
        """Hold the weights of `source`, loaded and exercised in a thread if they were not yet.

        Raises:
            ModelError: they could not be loaded.
            WarmUpFailed: they gave nothing, or something else than they have to.
        """
        entry, first = self._join(source)
        loop = asyncio.get_running_loop()
        getattr(loop, "hold_time", _nothing)()  # a loop on virtual time stands still meanwhile
        try:
            if first:
                self._fill_in_thread(entry)
            await asyncio.shield(asyncio.wrap_future(entry.weights))
            if _proof(source) not in entry.proofs:
                await asyncio.wrap_future(_in_thread(f"exercise {source.name}", partial(self._prove, entry, source)))
        except BaseException:
            self._leave(entry)
            raise
        finally:
            getattr(loop, "release_time", _nothing)()
        return SharedWeights(self, entry)

    def take_blocking(self, source: ModelSource[_Weights]) -> SharedWeights[_Weights]:
        """The same for code without an event loop. Blocks while the weights load; raises what `take` raises."""
        entry, first = self._join(source)
        if first:
            self._fill(entry)
        try:
            entry.weights.result()
            self._prove(entry, source)
        except BaseException:
            self._leave(entry)
            raise
        return SharedWeights(self, entry)

    def loaded(self) -> tuple[LoadedModel, ...]:
        """What is loaded now."""
        with self._lock:
            entries = [entry for entry in self._entries.values() if entry.weights.done()]
            return tuple(LoadedModel(e.source.name, e.users, e.load_ms, e.exercise_ms) for e in entries)

    def counts(self) -> RegistryCounts:
        """What happened so far."""
        with self._lock:
            return RegistryCounts(**self._counts)

    def _join(self, source: ModelSource[Any]) -> tuple[_Entry, bool]:
        with self._lock:
            first = source not in self._entries
            entry = self._entries.setdefault(source, _Entry(source))
            entry.users += 1
            self._counts["shared"] += not first
            return entry, first

    def _fill_in_thread(self, entry: _Entry) -> None:
        try:
            _in_thread(f"load {entry.source.name}", partial(self._fill, entry))
        except RuntimeError as refused:  # no further thread
            self._fail(entry, refused)

    def _fail(self, entry: _Entry, failure: BaseException) -> None:
        with self._lock:
            del self._entries[entry.source]
            self._counts["failed"] += 1
        entry.weights.set_exception(_as_ours(entry.source.name, failure))

    def _fill(self, entry: _Entry) -> None:
        """Load and exercise; the outcome goes to everybody who waits, and nowhere else."""
        try:
            weights = self._load(entry)
        except BaseException as failure:
            self._fail(entry, failure)
            if not isinstance(failure, Exception):
                raise
            return
        with self._lock:
            self._counts["loaded"] += 1
            entry.weights.set_result(weights)
        self._free_unless_used(entry)

    def _load(self, entry: _Entry) -> object:
        source, began_sec = entry.source, self._clock.now()
        weights = source.load()
        loaded_sec = self._clock.now()
        try:
            source.exercise(weights)
        except BaseException:
            source.release(weights)
            raise
        entry.load_ms = (loaded_sec - began_sec) * 1000
        entry.exercise_ms = (self._clock.now() - loaded_sec) * 1000
        entry.proofs.append(_proof(source))
        return weights

    def _prove(self, entry: _Entry, source: ModelSource[Any]) -> None:
        """Exercise as this taker wants it, unless somebody has."""
        with entry.proving:
            if _proof(source) in entry.proofs:
                return
            try:
                source.exercise(entry.weights.result())
            except Exception as failure:
                raise _as_ours(source.name, failure) from failure
            entry.proofs.append(_proof(source))

    def _leave(self, entry: _Entry) -> None:
        with self._lock:
            entry.users -= 1
        self._free_unless_used(entry)

    def _free_unless_used(self, entry: _Entry) -> None:
        with self._lock:
            if entry.users or not entry.weights.done() or self._entries.get(entry.source) is not entry:
                return
            del self._entries[entry.source]
            self._counts["released"] += 1
        entry.source.release(entry.weights.result())


def _as_ours(name: str, failure: BaseException) -> BaseException:
    if isinstance(failure, WarmlineError) or not isinstance(failure, Exception):
        return failure
    # Of a stranger's message nothing is quoted, it may hold a key; what the operating system says may be known.
    why = failure.strerror if isinstance(failure, OSError) else None
    ours = ModelError(f"{name} did not load: {type(failure).__name__}{f': {why}' if why else ''}")
    ours.__cause__ = failure
    return ours


def _proof(source: ModelSource[Any]) -> object:
    return getattr(source, "proof", None)


def _in_thread(name: str, call: Callable[[], _Result]) -> "Future[_Result]":
    """Call it in a daemon thread of its own.

    The loop's own threads are joined at exit, where a load that hangs would hang the process; and all of them may be
    busy with waiting for that very load.
    """
    result: Future[_Result] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as failure:
            result.set_exception(failure)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    wait_for_at_exit(thread)
    return result


def _nothing() -> None:
    return None
