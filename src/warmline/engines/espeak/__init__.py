"""espeak-ng as a text-to-speech engine.

espeak-ng is GPLv3 and keeps global state: it only ever runs in worker processes, never in the caller's own.
"""

from warmline.engines.espeak.config import EspeakConfig
from warmline.engines.espeak.engine import EspeakTextToSpeech

__all__ = ["EspeakConfig", "EspeakTextToSpeech"]
