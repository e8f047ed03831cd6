"""Kokoro through kokoro-onnx as a text-to-speech engine.

It finds its phonemes with espeak-ng (GPLv3, global state), so it only ever runs in worker processes.
"""

from warmline.engines.kokoro.config import KokoroConfig, voices_beside
from warmline.engines.kokoro.engine import KokoroTextToSpeech, require_kokoro_onnx

__all__ = ["KokoroConfig", "KokoroTextToSpeech", "require_kokoro_onnx", "voices_beside"]
