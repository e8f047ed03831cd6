"""Speech-to-text by pocketsphinx worker processes, one to a call."""

import asyncio
import itertools
from dataclasses import asdict
from typing import Self

from warmline.engines.pocketsphinx.config import PocketsphinxConfig
from warmline.engines.protocols import Transcript, TranscriptStream
from warmline.errors import EngineError, WorkerDied
from warmline.workers import Worker, WorkerTemplate

__all__ = ["PocketsphinxSpeechToText"]

_ANSWER_TIMEOUT_SEC = 6.0
_LOAD_TIMEOUT_SEC = 120.0  # a scenario's model is made at its first start: seconds, on a busy machine many
_MODEL = "adapted"


class PocketsphinxSpeechToText:
    """Opens ears: each is a worker process forked from a template that has the decoder loaded."""

    def __init__(self, template: WorkerTemplate, config: PocketsphinxConfig) -> None:
        self.config = config
        self._template = template

    @classmethod
    async def start(cls, config: PocketsphinxConfig) -> Self:
        """Load the decoder and prove that it hears.

        Raises:
            WarmUpFailed: it did not load, or gave no label.
        """
        sent = {**asdict(config), "cache_dir": str(config.cache_dir)}
        template = await WorkerTemplate.start(
            "warmline.engines.pocketsphinx.worker:load", sent, name="pocketsphinx", start_timeout_sec=_LOAD_TIMEOUT_SEC
        )
        return cls(template, config)

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that ears expect."""
        return 16_000

    async def open_stream(self) -> TranscriptStream:
        """A fresh ear, forked in a few milliseconds.

        Raises:
            EngineError: the template is gone.
        """
        return _Ear(self._template, await _fork(self._template))

    async def aclose(self) -> None:
        """End the template; ears end when their calls close them."""
        await self._template.aclose()


class _Ear:
    def __init__(self, template: WorkerTemplate, worker: Worker) -> None:
        self._template = template
        self._worker = worker
        self._numbers = itertools.count()
        # Utterances may end faster than they are decoded; their answers come in order, to one reader at a time.
        self._answering = asyncio.Lock()

    def begin(self) -> None:
        self._worker.send({"op": "begin"})

    def feed(self, pcm: bytes) -> None:
        self._worker.send(pcm)

    async def finish(self) -> Transcript:
        number = next(self._numbers)
        self._worker.send({"op": "finish", "id": number})
        async with self._answering:
            try:
                async with asyncio.timeout(_ANSWER_TIMEOUT_SEC):
                    return await self._answer_to(number)
            except (WorkerDied, TimeoutError) as lost:
                await self._replace()
                raise EngineError("pocketsphinx died or hung while it listened") from lost

    async def _answer_to(self, number: int) -> Transcript:
        while True:
            answer = await self._worker.receive()
            assert not isinstance(answer, bytes), "a listener answers with control messages"
            if answer["id"] == number:  # else to a question that nobody waited for
                return Transcript(str(answer["text"]), float(str(answer["confidence"])), _MODEL)

    async def aclose(self) -> None:
        # Whatever it is decoding, nobody waits for it any more.
        self._worker.kill()
        await self._worker.aclose()

    async def _replace(self) -> None:
        """What was said is lost, but the next utterance shall be heard."""
        lost = self._worker
        lost.kill()
        self._worker = await _fork(self._template)
        await lost.aclose()


async def _fork(template: WorkerTemplate) -> Worker:
    try:
        return await template.spawn()
    except WorkerDied as died:
        raise EngineError("pocketsphinx is gone") from died
