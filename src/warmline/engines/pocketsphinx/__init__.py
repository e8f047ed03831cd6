"""pocketsphinx as a speech-to-text engine: its general language model, bent towards what a scenario expects."""

from warmline.engines.pocketsphinx.config import PocketsphinxConfig
from warmline.engines.pocketsphinx.engine import PocketsphinxSpeechToText

__all__ = ["PocketsphinxConfig", "PocketsphinxSpeechToText"]
