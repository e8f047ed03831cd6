"""pocketsphinx as a speech-to-text engine: its general language model, bent towards what a scenario expects."""

from importlib import import_module
from typing import TYPE_CHECKING

from warmline.engines.pocketsphinx.config import PocketsphinxConfig

if TYPE_CHECKING:
    from warmline.engines.pocketsphinx.engine import PocketsphinxSpeechToText

__all__ = ["PocketsphinxConfig", "PocketsphinxSpeechToText"]


def __getattr__(name: str) -> object:
    # The engine needs asyncio; its workers, which are of this package, start without.
    if name == "PocketsphinxSpeechToText":
        return getattr(import_module("warmline.engines.pocketsphinx.engine"), name)
    raise AttributeError(f"module 'warmline.engines.pocketsphinx' has no attribute {name!r}")
