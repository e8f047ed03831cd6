"""The three things a voice agent speaks through, as small as they can be: hear, think, say.

All audio is PCM: signed 16 bit, little endian, mono. All streams are cancellable: closing the generator or the stream
ends the work behind it.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["ChatMessage", "LanguageModel", "SpeechToText", "TextToSpeech", "Transcript", "TranscriptStream"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation, as chat-completion APIs know it."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in one utterance. `confidence` is 0..1; `source` names the model that heard it."""

    text: str
    confidence: float = 1.0
    source: str = ""


class TranscriptStream(Protocol):
    """One caller's ear: utterance after utterance, each begun, fed while it is spoken, and finished."""

    def begin(self) -> None:
        """An utterance begins; what an unfinished one had heard is dropped."""
        ...

    def feed(self, pcm: bytes) -> None:
        """Audio of the running utterance, in order, 20-40 ms at a time. Never blocks; ignored between utterances."""
        ...

    async def finish(self) -> Transcript:
        """The utterance is over: what was said (an empty text when nothing was).

        Raises:
            EngineError: the recogniser is gone.
        """
        ...

    async def aclose(self) -> None:
        """Give the recogniser back. Harmless when called twice."""
        ...


class SpeechToText(Protocol):
    """Opens ears. One with `pool_hooks` (`Pooled`) says how they are made before they are needed."""

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that `feed` expects."""
        ...

    async def open_stream(self) -> TranscriptStream:
        """A fresh ear for one call.

        Raises:
            EngineError: no recogniser could be had.
        """
        ...

    async def aclose(self) -> None:
        """Release everything, streams included."""
        ...


class TextToSpeech(Protocol):
    """Says text: an engine, or one caller's voice of it.

    An engine takes several texts at a time; one with `pool_hooks` (`Pooled`) says how a caller's own voice is made.
    """

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that `synthesize` yields."""
        ...

    def synthesize(self, text: str) -> AsyncGenerator[bytes, None]:
        """PCM of `text`, as it is made. Closing the generator stops the synthesis.

        Raises:
            EngineError: the synthesis failed or gave nothing.
        """
        ...

    async def aclose(self) -> None:
        """Release everything."""
        ...


class LanguageModel(Protocol):
    """Answers a conversation."""

    def stream(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[str, None]:
        """The answer, piece by piece, as the model writes it. Closing the generator ends the request.

        Raises:
            EngineError: the request failed; never carries a key or the caller's words.
        """
        ...

    def rewarm(self) -> None:
        """Somebody is about to ask (a ring, a caller who begins to speak). Returns at once and never raises."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
