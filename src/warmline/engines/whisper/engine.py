"""Speech-to-text by one Whisper model for all calls, in threads: it works without the interpreter's lock."""

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import numpy as np

from warmline.engines.pool_hooks import PoolHooks
from warmline.engines.protocols import Transcript, TranscriptStream
from warmline.engines.whisper.config import WhisperConfig
from warmline.engines.whisper.transcription import SAMPLE_RATE_HZ, transcribe
from warmline.engines.whisper.weights import WhisperWeights
from warmline.errors import EngineError, ModelError, WarmUpFailed
from warmline.models import ModelRegistry, SharedWeights

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

__all__ = ["WhisperSpeechToText"]

_BYTES_PER_SAMPLE = 2
_FULL_SCALE = 32_768.0
# What is shorter than the shortest word is a click, and Whisper would invent words for it.
_MIN_SAMPLES = SAMPLE_RATE_HZ // 20
_NOTHING = Transcript("", 0.0, "")


class WhisperSpeechToText:
    """Opens ears that hear whole utterances. Not for a worker process forked after it started: its threads stay behind.

    Transcriptions of different calls run side by side, `config.parallel` at most; the others wait their turn.
    """

    def __init__(self, config: WhisperConfig, shared: "SharedWeights[WhisperModel]") -> None:
        self.config = config
        self._shared = shared
        self._threads = ThreadPoolExecutor(config.parallel, thread_name_prefix="whisper")
        self._closed = threading.Event()

    @classmethod
    async def start(cls, config: WhisperConfig, registry: ModelRegistry) -> Self:
        """Load the weights, unless `registry` has them, and prove that they hear.

        Raises:
            WarmUpFailed: they did not load, or an inference gave nothing.
            ConfigError: faster-whisper is not installed.
        """
        try:
            return cls(config, await registry.take(WhisperWeights(config)))
        except ModelError as failure:
            raise WarmUpFailed(str(failure)) from failure

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the audio that ears expect."""
        return SAMPLE_RATE_HZ

    @property
    def pool_hooks(self) -> PoolHooks[TranscriptStream]:
        """Ears are opened for nothing, around weights that have heard; none hears a second caller."""
        return PoolHooks(factory=self.open_stream, recycle=False)

    async def open_stream(self) -> TranscriptStream:
        """A fresh ear, for nothing: it holds its own audio and no weights.

        Raises:
            EngineError: the engine is closed.
        """
        if self._closed.is_set():
            raise EngineError("whisper is closed")
        return _Ear(self)

    async def aclose(self) -> None:
        """Give up what waits, wait for the window that is being heard, free the weights. Harmless when called twice."""
        self._closed.set()
        await asyncio.to_thread(self._threads.shutdown)
        self._shared.release()

    def begin_transcription(self, pcm: bytes, given_up: threading.Event) -> Future[Transcript]:
        """Queue an utterance; `given_up` may be set by whoever wants it no more.

        Raises:
            EngineError: the engine is closed.
        """
        try:
            return self._threads.submit(self._hear, pcm, given_up)
        except RuntimeError as closed:
            raise EngineError("whisper is closed") from closed

    def _hear(self, pcm: bytes, given_up: threading.Event) -> Transcript:
        def unwanted() -> bool:
            return given_up.is_set() or self._closed.is_set()

        samples = np.frombuffer(pcm, np.int16).astype(np.float32) / _FULL_SCALE
        heard = _NOTHING if unwanted() else transcribe(self._shared.weights, self.config, samples, unwanted)
        if self._closed.is_set():
            raise EngineError("whisper was closed while it listened")
        return heard


class _Ear:
    def __init__(self, engine: WhisperSpeechToText) -> None:
        self._engine = engine
        self._max_bytes = int(engine.config.max_utterance_sec * SAMPLE_RATE_HZ) * _BYTES_PER_SAMPLE
        self._heard: bytearray | None = None
        self._waiting: set[threading.Event] = set()
        self._closed = False

    def begin(self) -> None:
        self._heard = None if self._closed else bytearray()

    def feed(self, pcm: bytes) -> None:
        if self._heard is not None:
            self._heard += pcm[: self._max_bytes - len(self._heard)]

    async def finish(self) -> Transcript:
        heard, self._heard = self._heard, None
        if heard is None or len(heard) < _MIN_SAMPLES * _BYTES_PER_SAMPLE:
            return _NOTHING
        given_up = threading.Event()
        transcription = self._engine.begin_transcription(bytes(heard), given_up)
        self._waiting.add(given_up)
        try:
            return await asyncio.wrap_future(transcription)
        except (RuntimeError, ValueError) as failure:  # what CTranslate2 raises
            raise EngineError(f"whisper failed: {type(failure).__name__}") from failure
        finally:
            given_up.set()
            self._waiting.discard(given_up)

    async def aclose(self) -> None:
        self._closed, self._heard = True, None
        for given_up in self._waiting:
            given_up.set()
