"""pocketsphinx and espeak-ng as Pipecat services, for the yardstick: plain, built per call."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import soxr
from pipecat.frames.frames import (
    Frame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.utils.time import time_now_iso8601

from warmline.engines.espeak.library import Espeak

__all__ = ["EspeakTTS", "PocketsphinxSTT"]

_SAMPLE_RATE_HZ = 16_000
_PRE_ROLL_BYTES = 19_200  # 0.6 s, as Warmline's
_MOST_SEC_TO_TRANSCRIPT = 0.5


class PocketsphinxSTT(STTService):
    """Decodes in a thread of its own while the caller speaks; at the VAD's stop only the last step is left."""

    def __init__(self, decoder: Any) -> None:
        settings = STTSettings(model="en-us", language=None)
        super().__init__(ttfs_p99_latency=_MOST_SEC_TO_TRANSCRIPT, settings=settings)
        self._decoder = decoder
        self._thread = ThreadPoolExecutor(1)
        self._pre_roll = bytearray()
        self._speaking = False

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        if self._speaking:
            self._thread.submit(self._decoder.process_raw, bytes(audio), False, False)
        else:
            self._pre_roll += audio
            del self._pre_roll[:-_PRE_ROLL_BYTES]
        yield None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame) and not self._speaking:
            self._speaking = True
            self._thread.submit(self._begin, bytes(self._pre_roll))
            self._pre_roll.clear()
        elif isinstance(frame, VADUserStoppedSpeakingFrame) and self._speaking:
            self._speaking = False
            self.create_task(self._finish())

    async def cleanup(self) -> None:
        await super().cleanup()
        self._thread.shutdown(wait=False)

    def _begin(self, pre_roll: bytes) -> None:
        self._decoder.start_utt()
        for start in range(0, len(pre_roll), 1280):  # in short pieces: the decoder holds the GIL
            self._decoder.process_raw(pre_roll[start : start + 1280], False, False)

    async def _finish(self) -> None:
        text = await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        if text:
            await self.push_frame(TranscriptionFrame(text, "", time_now_iso8601(), finalized=True))

    def _end(self) -> str:
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""


class EspeakTTS(TTSService):
    """Synthesizes in a thread and streams what it gets."""

    def __init__(self, espeak: Espeak) -> None:
        settings = TTSSettings(model=None, voice="en-us", language=None)
        super().__init__(push_start_frame=True, push_stop_frames=True, sample_rate=_SAMPLE_RATE_HZ, settings=settings)
        self._espeak = espeak
        self._thread = ThreadPoolExecutor(1)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        audio = self._synthesize(text)
        async for frame in self._stream_audio_frames_from_iterator(
            audio, in_sample_rate=_SAMPLE_RATE_HZ, context_id=context_id
        ):
            yield frame

    async def cleanup(self) -> None:
        await super().cleanup()
        self._thread.shutdown(wait=False)

    async def _synthesize(self, text: str) -> AsyncIterator[bytes]:
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[bytes | None]()

        def sink(pcm: bytes | None) -> bool:
            loop.call_soon_threadsafe(pieces.put_nowait, pcm)
            return True

        speaking = loop.run_in_executor(self._thread, self._speak, text, sink)
        while (piece := await pieces.get()) is not None:
            yield piece
        await speaking

    def _speak(self, text: str, sink: Callable[[bytes | None], bool]) -> None:
        resampler = soxr.ResampleStream(self._espeak.sample_rate_hz, _SAMPLE_RATE_HZ, 1, dtype="int16")

        def resampled(pcm: bytes, *, last: bool = False) -> bool:
            samples = resampler.resample_chunk(np.frombuffer(pcm, np.int16), last=last)
            return sink(samples.tobytes()) if len(samples) else True

        self._espeak.speak(text, resampled)
        resampled(b"", last=True)
        sink(None)
