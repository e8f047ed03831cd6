"""Whisper through faster-whisper as a speech-to-text engine: weights from a local folder, shared by all calls."""

from warmline.engines.whisper.config import WhisperConfig
from warmline.engines.whisper.engine import WhisperSpeechToText
from warmline.engines.whisper.weights import WhisperWeights, require_faster_whisper

__all__ = ["WhisperConfig", "WhisperSpeechToText", "WhisperWeights", "require_faster_whisper"]
