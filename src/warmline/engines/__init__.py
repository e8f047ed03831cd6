"""Speech and language engines behind three small protocols; one file (or folder) a vendor."""

from warmline.engines.protocols import (
    ChatMessage,
    LanguageModel,
    SpeechToText,
    TextToSpeech,
    Transcript,
    TranscriptStream,
)

__all__ = ["ChatMessage", "LanguageModel", "SpeechToText", "TextToSpeech", "Transcript", "TranscriptStream"]
