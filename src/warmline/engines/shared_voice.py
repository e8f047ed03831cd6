"""One caller's voice of an engine that all callers share."""

from collections.abc import AsyncGenerator

from warmline.engines.protocols import TextToSpeech

__all__ = ["SharedVoice"]


class SharedVoice:
    """Speaks through `engine`, and leaves it open when it is closed itself."""

    def __init__(self, engine: TextToSpeech) -> None:
        self._engine = engine

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that `synthesize` yields."""
        return self._engine.sample_rate_hz

    def synthesize(self, text: str) -> AsyncGenerator[bytes, None]:
        """PCM of `text`, as the engine makes it."""
        return self._engine.synthesize(text)

    async def aclose(self) -> None:
        """Nothing is held."""
