"""An engine's ear as a Pipecat speech-to-text service."""

from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

from pipecat.frames.frames import (
    Frame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.settings import STTSettings
from pipecat.services.stt_service import STTService
from pipecat.utils.time import time_now_iso8601

from warmline.adapters.pipecat.marks import Mark, unmarked
from warmline.engines import Transcript, TranscriptStream
from warmline.errors import EngineError

if TYPE_CHECKING:
    import asyncio

__all__ = ["EngineSTTService"]

_BYTES_PER_SAMPLE = 2
_MAX_HEARD_SEC = 0.5


class EngineSTTService(STTService):
    """Feeds the ear while the caller speaks, so that only the last step remains when the VAD says stop.

    `pre_roll_sec` of audio from before the VAD noticed speech is fed as well: no first word is lost. `heard` sees
    every transcript, empty ones too, and returns what the agent shall take it for. `mark` is told `speech_end`,
    `vad_stop` and `stt_final`.

    An empty transcript is passed on too (as a final one): a turn strategy that waits for the transcript need not wait
    for a time-out to learn that nothing was said.
    """

    def __init__(
        self,
        stream: TranscriptStream,
        *,
        pre_roll_sec: float = 0.6,
        heard: Callable[[Transcript], Transcript] = lambda transcript: transcript,
        mark: Mark = unmarked,
    ) -> None:
        super().__init__(ttfs_p99_latency=_MAX_HEARD_SEC, settings=STTSettings(model=None, language=None))
        self._stream = stream
        self._pre_roll_sec = pre_roll_sec
        self._pre_roll: deque[bytes] = deque()
        self._pre_roll_bytes = 0
        self._listening = False
        self._heard = heard
        self._mark = mark
        self._finishing: set[asyncio.Task[None]] = set()

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Pass audio to the ear, or keep it in case speech has begun in it."""
        if self._listening:
            self._stream.feed(audio)
        else:
            self._keep(audio)
        yield None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Begin and finish utterances where the VAD says so."""
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._begin()
        elif isinstance(frame, VADUserStoppedSpeakingFrame) and self._listening:
            self._mark("vad_stop")
            self._listening = False
            finishing = self.create_task(self._finish(), name="finish_utterance")
            self._finishing.add(finishing)
            finishing.add_done_callback(self._finishing.discard)

    async def cleanup(self) -> None:
        """Stop waiting for transcripts."""
        await super().cleanup()
        for finishing in list(self._finishing):
            await self.cancel_task(finishing)

    def _begin(self) -> None:
        if self._listening:
            return
        self._listening = True
        self._stream.begin()
        while self._pre_roll:
            self._stream.feed(self._pre_roll.popleft())
        self._pre_roll_bytes = 0

    async def _finish(self) -> None:
        try:
            transcript = await self._stream.finish()
        except EngineError as failure:
            await self.push_error("the recogniser failed", exception=failure)
            transcript = Transcript("", 0.0)
        self._mark("stt_final")
        taken_for = self._heard(transcript)
        await self.push_frame(TranscriptionFrame(taken_for.text, "", time_now_iso8601(), finalized=True))

    def _keep(self, audio: bytes) -> None:
        self._pre_roll.append(audio)
        self._pre_roll_bytes += len(audio)
        kept_bytes = self._pre_roll_sec * self.sample_rate * _BYTES_PER_SAMPLE
        while self._pre_roll and self._pre_roll_bytes - len(self._pre_roll[0]) >= kept_bytes:
            self._pre_roll_bytes -= len(self._pre_roll.popleft())
