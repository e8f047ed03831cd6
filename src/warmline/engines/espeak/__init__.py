"""espeak-ng as a text-to-speech engine.

espeak-ng is GPLv3 and keeps global state: it only ever runs in worker processes, never in the caller's own.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from warmline.engines.espeak.config import EspeakConfig

if TYPE_CHECKING:
    from warmline.engines.espeak.engine import EspeakTextToSpeech

__all__ = ["EspeakConfig", "EspeakTextToSpeech"]


def __getattr__(name: str) -> object:
    # The engine needs asyncio; its workers, which are of this package, start without.
    if name == "EspeakTextToSpeech":
        return getattr(import_module("warmline.engines.espeak.engine"), name)
    raise AttributeError(f"module 'warmline.engines.espeak' has no attribute {name!r}")
