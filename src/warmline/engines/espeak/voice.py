"""One caller's voice: a worker process of its own."""

import asyncio
from collections.abc import AsyncGenerator

from warmline.engines.espeak.config import EspeakConfig
from warmline.engines.spoken_text import check_length
from warmline.errors import EngineError, WarmlineError, WarmUpFailed, WorkerDied
from warmline.workers import Worker, WorkerSource

__all__ = ["EspeakVoice"]

_STOP_TIMEOUT_SEC = 1.0
_WARM_UP_TEXT = "Hello."


class EspeakVoice:
    """A `TextToSpeech` for one caller. An utterance that nobody wants any more is stopped, and its worker kept.

    The worker is lent to one utterance at a time. Where there is none (it died, or another utterance has it) one is
    forked. `alive` is done when a worker of this voice has died by itself.
    """

    def __init__(self, source: WorkerSource, config: EspeakConfig) -> None:
        self.config = config
        self.alive: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._source = source
        self._idle: Worker | None = None
        self._stopped: set[Worker] = set()  # in the middle of an utterance; what they had still sent was not read
        self._closed = False

    @classmethod
    async def open(cls, source: WorkerSource, config: EspeakConfig) -> "EspeakVoice":
        """Fork its worker, in a few milliseconds.

        Raises:
            EngineError: no worker could be had.
        """
        voice = cls(source, config)
        voice._idle = await voice._spawn()
        return voice

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that `synthesize` yields."""
        return self.config.sample_rate_hz

    async def synthesize(self, text: str) -> AsyncGenerator[bytes, None]:
        """PCM of `text` as it is made. Closing the generator early stops the worker, and keeps it.

        Raises:
            EngineError: the text is too long, or the voice failed or gave nothing.
        """
        check_length(text)
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
            await self._give_back(worker, stopped=not whole)

    async def exercise(self) -> None:
        """Say a word, and prove it by the audio.

        Raises:
            WarmUpFailed: there was none.
            EngineError: the worker died over it.
        """
        audio = [pcm async for pcm in self.synthesize(_WARM_UP_TEXT)]
        if not any(map(any, audio)):
            raise WarmUpFailed("espeak-ng gave no audible audio")

    async def is_silent(self) -> bool:
        """Whether it is ready for another caller: the last utterance is over and read to its end.

        That is all there is to reset: no word of it can come again. The samples of the next text differ by a trifle
        with what was said before.
        """
        worker, self._idle = self._idle, None
        self._idle = await self._silenced(worker) if worker is not None else None
        return self._idle is not None

    async def aclose(self) -> None:
        """End the worker. An utterance that still runs ends its own."""
        self._closed = True
        worker, self._idle = self._idle, None
        if worker is not None:
            await worker.end_now()

    async def _take(self) -> Worker:
        worker, self._idle = self._idle, None
        silenced = await self._silenced(worker) if worker is not None else None
        return silenced or await self._spawn()

    async def _silenced(self, worker: Worker) -> Worker | None:
        """The worker, once it has said that its last utterance is over; None, and no worker, if it does not."""
        silent = False
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_SEC):
                while worker in self._stopped and isinstance(await worker.receive(), bytes):
                    pass
            silent = worker.alive
        except (TimeoutError, WorkerDied):
            pass
        finally:
            self._stopped.discard(worker)
            if not silent:
                await worker.end_now()
        return worker if silent else None

    async def _give_back(self, worker: Worker, *, stopped: bool) -> None:
        if self._closed or self._idle is not None or not worker.alive:
            await worker.end_now()
            return
        if stopped:
            worker.send({"stop": True})
            self._stopped.add(worker)
        self._idle = worker

    async def _spawn(self) -> Worker:
        try:
            worker = await self._source.spawn()
        except WarmlineError as failure:
            raise EngineError("espeak-ng is gone") from failure
        worker.on_exit(lambda: self._on_exit(worker))
        return worker

    def _on_exit(self, worker: Worker) -> None:
        if worker is self._idle and not self._closed and not self.alive.done():
            self.alive.set_result(None)
