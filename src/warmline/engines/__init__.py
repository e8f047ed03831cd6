"""Speech and language engines behind three small protocols; one file (or folder) a vendor."""

from warmline.engines.pool_hooks import Pooled, PoolHooks, ear_hooks, voice_hooks
from warmline.engines.protocols import (
    ChatMessage,
    LanguageModel,
    SpeechToText,
    TextToSpeech,
    Transcript,
    TranscriptStream,
)

__all__ = [
    "ChatMessage",
    "LanguageModel",
    "PoolHooks",
    "Pooled",
    "SpeechToText",
    "TextToSpeech",
    "Transcript",
    "TranscriptStream",
    "ear_hooks",
    "voice_hooks",
]
