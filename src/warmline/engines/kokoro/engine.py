"""Text-to-speech by Kokoro worker processes, each lent to one utterance at a time."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import asdict
from pathlib import Path
from typing import Self

from warmline.engines.kokoro.config import KokoroConfig
from warmline.engines.pool_hooks import PoolHooks
from warmline.engines.required_package import require_package
from warmline.engines.shared_voice import SharedVoice
from warmline.engines.spoken_text import check_length
from warmline.errors import EngineError, WarmUpFailed, WorkerDied
from warmline.workers import Worker, WorkerTemplate

__all__ = ["KokoroTextToSpeech", "require_kokoro_onnx"]

_START_TIMEOUT_SEC = 120.0
_CANCEL_TIMEOUT_SEC = 10.0


def require_kokoro_onnx(model_path: Path) -> None:
    """Make sure that the model at `model_path` could be loaded, as far as packages go.

    Raises:
        ConfigError: kokoro-onnx is not installed.
    """
    require_package("kokoro_onnx", extra="kokoro", path=model_path)


class KokoroTextToSpeech:
    """Speaks through Kokoro. One for the whole process; `config.parallel` utterances at once, the others wait."""

    def __init__(
        self, template: WorkerTemplate, config: KokoroConfig, scratch: "tempfile.TemporaryDirectory[str]"
    ) -> None:
        self.config = config
        self._template = template
        self._scratch = scratch
        self._numbers = itertools.count()
        self._idle: list[Worker] = []
        self._free = asyncio.Semaphore(config.parallel)
        self._recovering: dict[asyncio.Task[None], Worker] = {}
        self._closed = False

    @classmethod
    async def start(cls, config: KokoroConfig) -> Self:
        """Load the model, and prove in every worker that it speaks.

        Raises:
            WarmUpFailed: it did not load, has no such voice, or gave no audio.
            ConfigError: kokoro-onnx is not installed.
        """
        require_kokoro_onnx(config.model_path)
        scratch = tempfile.TemporaryDirectory(prefix="warmline-kokoro-")
        try:
            template = await WorkerTemplate.start(
                "warmline.engines.kokoro.worker:load",
                _sent(config, scratch.name),
                name="kokoro",
                start_timeout_sec=_START_TIMEOUT_SEC,
            )
        except BaseException:
            scratch.cleanup()
            raise
        engine = cls(template, config, scratch)
        try:
            async with asyncio.timeout(_START_TIMEOUT_SEC):
                engine._idle += [await engine._spawn() for _ in range(config.parallel)]
        except BaseException as failure:
            await engine.aclose()
            if isinstance(failure, (WorkerDied, TimeoutError)):
                raise WarmUpFailed("kokoro did not speak in a worker process") from failure
            raise
        return engine

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that `synthesize` yields."""
        return self.config.sample_rate_hz

    @property
    def pool_hooks(self) -> PoolHooks[SharedVoice]:
        """A caller's voice holds nothing: what has to be warm, the worker processes, is all callers'."""
        return PoolHooks(factory=self._share)

    async def synthesize(self, text: str) -> AsyncGenerator[bytes, None]:
        """PCM of `text`, sentence by sentence. Closed early, the worker stops after the sentence it is at.

        Raises:
            EngineError: the text is too long, or the voice failed or gave nothing.
        """
        check_length(text)
        if not text.strip():
            return
        await self._free.acquire()
        recovers = False
        try:
            worker = await self._take()
            number = next(self._numbers)
            over = False
            try:
                worker.send({"say": text, "id": number})
                while isinstance(message := await worker.receive(), bytes):
                    yield message
                over = True
                _check(message)
            except WorkerDied as died:
                raise EngineError("kokoro died while it spoke") from died
            finally:
                if over and not self._closed:
                    self._idle.append(worker)
                else:
                    recovers = True
                    self._recover(worker, number)
        finally:
            if not recovers:
                self._free.release()

    async def aclose(self) -> None:
        """End every process. Harmless when called twice."""
        self._closed = True
        for worker in self._recovering.values():
            worker.kill()
        await asyncio.gather(*self._recovering)
        while self._idle:
            await self._idle.pop().aclose()
        await self._template.aclose()
        self._scratch.cleanup()

    async def _share(self) -> SharedVoice:
        return SharedVoice(self)

    async def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await worker.aclose()
        if self._closed:
            raise EngineError("kokoro is closed")
        try:
            return await self._spawn()
        except (WorkerDied, WarmUpFailed) as failure:
            raise EngineError("kokoro is gone") from failure

    async def _spawn(self) -> Worker:
        worker = await self._template.spawn()
        try:
            answer = await worker.receive()  # after it has spoken to itself
            assert not isinstance(answer, bytes), "a worker speaks when it is asked to"
            if "failed" in answer:
                raise WarmUpFailed(f"kokoro: {answer['failed']}")
        except BaseException:
            await worker.end_now()
            raise
        return worker

    def _recover(self, worker: Worker, number: int) -> None:
        """Take a worker out of an utterance that nobody wants any more, without making whoever left it wait."""
        task = asyncio.create_task(self._cancel(worker, number), name="kokoro: end an utterance")
        self._recovering[task] = worker
        task.add_done_callback(self._recovering.pop)

    async def _cancel(self, worker: Worker, number: int) -> None:
        recovered = False
        try:
            worker.send({"cancel": number})
            async with asyncio.timeout(_CANCEL_TIMEOUT_SEC):
                while isinstance(await worker.receive(), bytes):
                    pass
            recovered = not self._closed
        except (WorkerDied, TimeoutError):
            pass  # a fresh one takes its place when it is wanted
        finally:
            self._free.release()
            if recovered:
                self._idle.append(worker)
            else:
                await worker.end_now()


def _sent(config: KokoroConfig, scratch_dir: str) -> dict[str, object]:
    paths = {"model_path": str(config.model_path), "voices_path": str(config.voices_path)}
    cache_dir = None if config.cache_dir is None else str(config.cache_dir)
    return {**asdict(config), **paths, "cache_dir": cache_dir, "scratch_dir": scratch_dir}


def _check(answer: object) -> None:
    match answer:
        case {"samples": int(samples)} if samples > 0:
            return
        case {"error": str(kind)}:
            raise EngineError(f"kokoro failed: {kind}")
        case _:
            raise EngineError("kokoro gave no audio")
