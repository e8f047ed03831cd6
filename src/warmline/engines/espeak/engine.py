"""Text-to-speech by espeak-ng worker processes, each lent to one utterance at a time."""

from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Self

from warmline.engines.espeak.config import EspeakConfig
from warmline.errors import EngineError, WorkerDied
from warmline.workers import Worker, WorkerTemplate

__all__ = ["EspeakTextToSpeech"]

_MAX_TEXT_CHARS = 5_000
_MAX_IDLE_WORKERS = 4


class EspeakTextToSpeech:
    """Speaks through espeak-ng. One for the whole process: utterances of different calls run in different workers."""

    def __init__(self, template: WorkerTemplate, config: EspeakConfig) -> None:
        self.config = config
        self._template = template
        self._idle: list[Worker] = []
        self._closed = False

    @classmethod
    async def start(cls, config: EspeakConfig) -> Self:
        """Load the voice, prove that it speaks, keep one worker ready.

        Raises:
            WarmUpFailed: the voice did not load or gave no audio.
        """
        template = await WorkerTemplate.start("warmline.engines.espeak.worker:load", asdict(config), name="espeak")
        engine = cls(template, config)
        try:
            engine._idle.append(await template.spawn())
        except BaseException:
            await template.aclose()
            raise
        return engine

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that `synthesize` yields."""
        return self.config.sample_rate_hz

    async def synthesize(self, text: str) -> AsyncGenerator[bytes, None]:
        """PCM of `text` as it is made. Closing the generator early ends the worker behind it.

        Raises:
            EngineError: the text is too long, or the voice failed or gave nothing.
        """
        if len(text) > _MAX_TEXT_CHARS:
            raise EngineError(f"a text of {len(text)} characters is over {_MAX_TEXT_CHARS}")
        worker = await self._take()
        whole = False
        try:
            worker.send({"say": text})
            while isinstance(pcm := await worker.receive(), bytes):
                yield pcm
            whole = True
            if pcm["samples"] == 0 and text.strip():
                raise EngineError("espeak-ng gave no audio")
        except WorkerDied as died:
            raise EngineError("espeak-ng died while it spoke") from died
        finally:
            await self._give_back(worker, reusable=whole)

    async def aclose(self) -> None:
        """End every process."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()
        await self._template.aclose()

    async def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await worker.aclose()
        try:
            return await self._template.spawn()
        except WorkerDied as died:
            raise EngineError("espeak-ng is gone") from died

    async def _give_back(self, worker: Worker, *, reusable: bool) -> None:
        if reusable and worker.alive and not self._closed and len(self._idle) < _MAX_IDLE_WORKERS:
            self._idle.append(worker)
            return
        worker.kill()  # it may be in the middle of an utterance that nobody wants any more
        await worker.aclose()
