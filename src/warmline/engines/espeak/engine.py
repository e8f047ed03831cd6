"""Text-to-speech by espeak-ng worker processes, one to a caller."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Self

from warmline.engines.espeak.config import EspeakConfig
from warmline.engines.espeak.voice import EspeakVoice
from warmline.engines.pool_hooks import PoolHooks
from warmline.workers import WorkerSource

__all__ = ["EspeakTextToSpeech"]


class EspeakTextToSpeech:
    """Speaks through espeak-ng: in a worker forked for each text, or, through a pool, with a voice to each caller."""

    def __init__(self, source: WorkerSource, config: EspeakConfig) -> None:
        self.config = config
        self._source = source

    @classmethod
    async def start(cls, config: EspeakConfig) -> Self:
        """Load the voice and prove that it speaks.

        Raises:
            WarmUpFailed: the voice did not load or gave no audio.
        """
        source = await WorkerSource.start("warmline.engines.espeak.worker:load", asdict(config), name="espeak")
        return cls(source, config)

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that `synthesize` yields."""
        return self.config.sample_rate_hz

    @property
    def pool_hooks(self) -> PoolHooks[EspeakVoice]:
        """Voices that have said a word; they serve one caller after the other."""
        return PoolHooks(factory=self._open, warm_fn=EspeakVoice.exercise, reset_fn=EspeakVoice.is_silent)

    async def synthesize(self, text: str) -> AsyncGenerator[bytes, None]:
        """PCM of `text` as it is made. Closing the generator early ends the worker behind it.

        Raises:
            EngineError: the text is too long, or the voice failed or gave nothing.
        """
        voice = await self._open()
        try:
            async with aclosing(voice.synthesize(text)) as audio:
                async for pcm in audio:
                    yield pcm
        finally:
            await voice.aclose()

    async def aclose(self) -> None:
        """End every process."""
        await self._source.aclose()

    async def _open(self) -> EspeakVoice:
        return await EspeakVoice.open(self._source, self.config)
