"""pocketsphinx as a speech-to-text engine: a narrow model of what a scenario expects, and a general one beside it."""

from warmline.engines.pocketsphinx.config import PocketsphinxConfig
from warmline.engines.pocketsphinx.engine import PocketsphinxSpeechToText

__all__ = ["PocketsphinxConfig", "PocketsphinxSpeechToText"]
