"""One caller's ear: a worker process of its own."""

import asyncio
import itertools

from warmline.engines.protocols import Transcript
from warmline.errors import EngineError, WarmlineError, WarmUpFailed, WorkerDied
from warmline.workers import Worker, WorkerSource

__all__ = ["PocketsphinxEar"]

_ANSWER_TIMEOUT_SEC = 6.0
_MODEL = "adapted"


class PocketsphinxEar:
    """A `TranscriptStream`. A worker that dies takes the utterance with it; the next one is heard by another.

    `alive` is done when the worker that the ear was made with has died.
    """

    def __init__(self, source: WorkerSource, worker: Worker) -> None:
        self.alive: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._source = source
        self._worker = worker
        self._numbers = itertools.count()
        self._heard_somebody = False
        # Utterances may end faster than they are decoded; their answers come in order, to one reader at a time.
        self._answering = asyncio.Lock()
        worker.on_exit(self._on_exit)

    @classmethod
    async def open(cls, source: WorkerSource) -> "PocketsphinxEar":
        """Fork it, in a few milliseconds.

        Raises:
            EngineError: no worker could be had.
        """
        return cls(source, await _spawn(source))

    def begin(self) -> None:
        """An utterance begins; what an unfinished one had heard is dropped."""
        self._heard_somebody = True
        self._worker.send({"op": "begin"})

    def feed(self, pcm: bytes) -> None:
        """Audio of the running utterance."""
        self._worker.send(pcm)

    async def finish(self) -> Transcript:
        """What was said.

        Raises:
            EngineError: the worker died or hung; the next utterance is heard again.
        """
        number = self._ask("finish")
        async with self._answering:
            try:
                return await self._answer_to(number)
            except (WorkerDied, TimeoutError) as lost:
                await self._replace()
                raise EngineError("pocketsphinx died or hung while it listened") from lost

    async def exercise(self) -> None:
        """Hear a recorded word, and prove it by the label.

        Raises:
            WarmUpFailed: nothing was heard in it.
            WorkerDied, TimeoutError: the worker died or hung over it.
        """
        number = self._ask("exercise")
        async with self._answering:
            heard = await self._answer_to(number)
        if not heard.text:
            raise WarmUpFailed("pocketsphinx heard nothing in a recorded word")

    def exercise_soon(self) -> None:
        """The same without waiting for it, and without the proof."""
        self._ask("exercise")

    async def is_fresh(self) -> bool:
        """Whether it has not listened to anybody.

        Decoders adapt to a voice in more ways than can be looked at or taken back from outside (`set_cmn` is one of
        them), so an ear that has heard a caller is closed. Another is forked in milliseconds.
        """
        return not self._heard_somebody

    async def aclose(self) -> None:
        """End the worker. Whatever it is decoding, nobody waits for it any more."""
        self._worker.kill()
        await self._worker.aclose()

    def _ask(self, op: str) -> int:
        number = next(self._numbers)
        self._worker.send({"op": op, "id": number})
        return number

    async def _answer_to(self, number: int) -> Transcript:
        async with asyncio.timeout(_ANSWER_TIMEOUT_SEC):
            while True:
                answer = await self._worker.receive()
                assert not isinstance(answer, bytes), "a listener answers with control messages"
                if answer["id"] == number:  # else to a question that nobody waited for
                    return Transcript(str(answer["text"]), float(str(answer["confidence"])), _MODEL)

    async def _replace(self) -> None:
        """What was said is lost, but the next utterance shall be heard."""
        lost = self._worker
        lost.kill()
        try:
            self._worker = await _spawn(self._source)
            self.exercise_soon()
        finally:
            await lost.aclose()

    def _on_exit(self) -> None:
        if not self.alive.done():
            self.alive.set_result(None)


async def _spawn(source: WorkerSource) -> Worker:
    try:
        return await source.spawn()
    except WarmlineError as failure:
        raise EngineError("pocketsphinx is gone") from failure
