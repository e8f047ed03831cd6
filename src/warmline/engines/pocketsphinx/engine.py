"""Speech-to-text by pocketsphinx worker processes, one to a call."""

from dataclasses import asdict
from typing import Self

from warmline.engines.pocketsphinx.config import PocketsphinxConfig
from warmline.engines.pocketsphinx.ear import PocketsphinxEar
from warmline.engines.pool_hooks import PoolHooks
from warmline.engines.protocols import TranscriptStream
from warmline.workers import WorkerSource

__all__ = ["PocketsphinxSpeechToText"]

_LOAD_TIMEOUT_SEC = 120.0  # a scenario's model is made at its first start: seconds, on a busy machine many


class PocketsphinxSpeechToText:
    """Opens ears: each is a worker process forked from a template that has the decoder loaded."""

    def __init__(self, source: WorkerSource, config: PocketsphinxConfig) -> None:
        self.config = config
        self._source = source

    @classmethod
    async def start(cls, config: PocketsphinxConfig, *, prove: bool = True) -> Self:
        """Load the decoder and prove that it hears. `prove` False leaves that to the ears, of a pool that warms each.

        Raises:
            WarmUpFailed: it did not load, or gave no label.
        """
        sent = {**asdict(config), "cache_dir": str(config.cache_dir), "prove": prove}
        source = await WorkerSource.start(
            "warmline.engines.pocketsphinx.worker:load", sent, name="pocketsphinx", start_timeout_sec=_LOAD_TIMEOUT_SEC
        )
        return cls(source, config)

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that ears expect."""
        return 16_000

    @property
    def pool_hooks(self) -> PoolHooks[PocketsphinxEar]:
        """Ears that have heard a word before a caller comes; one that has heard a caller is closed, not reset."""
        return PoolHooks(factory=self._open, warm_fn=PocketsphinxEar.exercise, reset_fn=PocketsphinxEar.is_fresh)

    async def open_stream(self) -> TranscriptStream:
        """A fresh ear, forked in a few milliseconds; it hears its first word while the caller does not speak yet.

        Raises:
            EngineError: no worker could be had.
        """
        ear = await self._open()
        ear.exercise_soon()
        return ear

    async def aclose(self) -> None:
        """End every process."""
        await self._source.aclose()

    async def _open(self) -> PocketsphinxEar:
        return await PocketsphinxEar.open(self._source)
