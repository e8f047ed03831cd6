"""What an engine tells a pool about that part of it which is exclusive to a call."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from warmline.engines.protocols import SpeechToText, TextToSpeech, TranscriptStream
from warmline.engines.shared_voice import SharedVoice

__all__ = ["PoolHooks", "Pooled", "ear_hooks", "voice_hooks"]

_Resource = TypeVar("_Resource")
_Check = Callable[[_Resource], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolHooks(Generic[_Resource]):
    """How one caller's ear or voice is made, proved, and made fit for the next caller.

    The fields are the arguments of `WarmableResourcePool` of the same names: a pool is made of them by
    `WarmableResourcePool(**hooks.arguments(), name=...)`. A resource is closed by its `aclose()`; it may have `alive`,
    a future that is done when it has died.

    `worth_keeping` says that making one in advance costs little and warms something; a pool without any knowledge of
    an engine keeps no spares of it.
    """

    factory: Callable[[], Awaitable[_Resource]]
    warm_fn: "_Check[_Resource] | None" = None
    validate_fn: "_Check[_Resource] | None" = None
    keepalive_fn: "_Check[_Resource] | None" = None
    reset_fn: "_Check[_Resource] | None" = None
    recycle: bool = True
    worth_keeping: bool = True

    def arguments(self) -> dict[str, Any]:
        """As keyword arguments of a pool."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "worth_keeping"}


@runtime_checkable
class Pooled(Protocol):
    """An engine that knows how its ears or voices are pooled. Optional: an engine without hooks works as well."""

    @property
    def pool_hooks(self) -> PoolHooks[Any]:
        """For ears (`TranscriptStream`) of a `SpeechToText`, for voices (`TextToSpeech`) of a `TextToSpeech`."""
        ...


def ear_hooks(engine: SpeechToText) -> PoolHooks[TranscriptStream]:
    """The engine's own hooks; without them every call gets a stream that is opened for it."""
    if isinstance(engine, Pooled):
        return engine.pool_hooks
    return PoolHooks(factory=engine.open_stream, recycle=False, worth_keeping=False)


def voice_hooks(engine: TextToSpeech) -> PoolHooks[TextToSpeech]:
    """The engine's own hooks; without them all calls speak through the engine itself."""
    if isinstance(engine, Pooled):
        return engine.pool_hooks

    async def share() -> TextToSpeech:
        return SharedVoice(engine)

    return PoolHooks(factory=share, worth_keeping=False)
