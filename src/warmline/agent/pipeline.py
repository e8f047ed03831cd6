"""The Pipecat pipeline of one call: ear, turn, model, voice."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from pipecat.audio.turn.smart_turn.base_smart_turn import SmartTurnParams
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    StartFrame,
    SystemFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    VADUserStartedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from warmline.adapters.pipecat import EngineLLMService, EngineSTTService, EngineTTSService, HeardTurnStop
from warmline.agent.kit import Kit
from warmline.agent.playout import Playout
from warmline.agent.wire import BYTES_PER_FRAME, FRAME_MS, SAMPLE_RATE_HZ
from warmline.engines import ChatMessage, TextToSpeech, Transcript, TranscriptStream

__all__ = ["CallPipeline", "Conversation"]

_SMART_TURN_OWN_PATIENCE_SEC = 3600.0  # HeardTurnStop decides how long a pause may be
_TURN_WATCHDOG_SEC = 8.0
_ASK_AGAIN_SEC = 0.02
_CATCH_UP_SPEED = 4
_MANY_BYTES = 5 * BYTES_PER_FRAME


class Conversation(Protocol):
    """What the pipeline tells the call, and asks it. None of it may block or raise."""

    @property
    def answering(self) -> int:
        """The turn that audio of the voice belongs to."""
        ...

    def mark(self, stage: str) -> None:
        """A stage was reached."""
        ...

    def heard(self, transcript: Transcript) -> Transcript:
        """Something was transcribed; returns what to take it for."""
        ...

    def prepare(self, messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
        """The conversation as it shall be sent to the model."""
        ...

    def replied(self, text: str) -> None:
        """The model has written this answer."""
        ...

    def user_started(self) -> None:
        """The caller's turn began."""
        ...

    def user_stopped(self) -> None:
        """The caller's turn is over."""
        ...

    def flushed(self, turn: int) -> None:
        """The answer of `turn` was cut off."""
        ...


class CallPipeline:
    """Built for one call and thrown away with it; everything heavy comes out of the kit."""

    def __init__(
        self,
        kit: Kit,
        ear: TranscriptStream,
        voice: TextToSpeech,
        playout: Playout,
        audio: "asyncio.Queue[bytes]",
        call: Conversation,
    ) -> None:
        self._mouth = _Mouth(playout, call)
        apology = kit.scenario.apology
        aggregators = _aggregators(kit, playout, call)
        processors = [
            _Ears(audio),
            EngineSTTService(ear, heard=call.heard, mark=call.mark),
            aggregators.user(),
            EngineLLMService(kit.model, prepare=call.prepare, replied=call.replied, apology=apology, mark=call.mark),
            EngineTTSService(voice, mark=call.mark, rendered={apology: kit.apology}),
            self._mouth,
            aggregators.assistant(),
        ]
        self._worker = _worker(processors)

    async def run(self) -> None:
        """Until cancelled; returns when nothing of it is left."""
        runner = WorkerRunner(handle_sigint=False, check_dangling_tasks=False)
        await runner.add_workers(self._worker)
        running = asyncio.create_task(runner.run(), name="pipeline")
        try:
            await asyncio.shield(running)
        finally:
            await _ended(runner, running)

    async def bot_started(self) -> None:
        """Tell every processor that the agent speaks."""
        await self._mouth.announce(BotStartedSpeakingFrame)

    async def bot_stopped(self) -> None:
        """Tell every processor that the agent fell silent."""
        await self._mouth.announce(BotStoppedSpeakingFrame)


def _aggregators(kit: Kit, playout: Playout, call: Conversation) -> LLMContextAggregatorPair:
    """What turns speech and answers into a conversation that has begun with the greeting."""
    pair = LLMContextAggregatorPair(
        LLMContext([{"role": "assistant", "content": kit.scenario.greeting}]),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=kit.weights.vad(VADParams(stop_secs=kit.vad_stop_sec)),
            user_turn_stop_timeout=_TURN_WATCHDOG_SEC,
            empty_user_turn=None,  # a cough is not answered
            user_turn_strategies=UserTurnStrategies(start=[_TurnStart(playout)], stop=[_turn_stop(kit, call)]),
        ),
    )
    user = pair.user()
    user.add_event_handler("on_user_turn_started", _told(call.user_started))
    user.add_event_handler("on_user_turn_stopped", _told(call.user_stopped))
    return pair


def _turn_stop(kit: Kit, call: Conversation) -> HeardTurnStop:
    return HeardTurnStop(
        kit.weights.turn(SmartTurnParams(stop_secs=_SMART_TURN_OWN_PATIENCE_SEC)),
        patience_sec=kit.turn_patience_sec,
        sounds_finished=kit.whole_phrases.__contains__,
        mark=call.mark,
    )


def _worker(processors: Sequence[FrameProcessor]) -> PipelineWorker:
    return PipelineWorker(
        Pipeline(list(processors)),
        params=PipelineParams(audio_in_sample_rate=SAMPLE_RATE_HZ, audio_out_sample_rate=SAMPLE_RATE_HZ),
        idle_timeout_secs=None,
        enable_rtvi=False,
        enable_turn_tracking=False,
        check_dangling_tasks=False,
    )


async def _ended(runner: WorkerRunner, running: "asyncio.Task[None]") -> None:
    """Have the runner end itself: cancelled while it starts, it would leave its workers running.

    Asked again and again, since a runner forgets what it was asked before it ran. Cancellations wait until it is done.
    """
    cancelled = False
    while not running.done():
        try:
            await runner.cancel()
            await asyncio.wait([running], timeout=_ASK_AGAIN_SEC)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    running.result()


def _told(tell: Callable[[], None]) -> Callable[..., Awaitable[None]]:
    async def handler(*_: object) -> None:
        tell()

    return handler


class _Ears(FrameProcessor):
    """What the caller says, from the first frame on, in pieces that are quick to decode.

    What has piled up is caught up with at `_CATCH_UP_SPEED` times real time: the VAD judges audio after the recogniser
    had it, and the recogniser keeps only some of what came before the VAD's word.
    """

    def __init__(self, audio: "asyncio.Queue[bytes]") -> None:
        super().__init__()
        self._audio = audio
        self._listening: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        if isinstance(frame, StartFrame):
            self._listening = self.create_task(self._listen(), name="listen")

    async def cleanup(self) -> None:
        await super().cleanup()
        if self._listening is not None:
            await self.cancel_task(self._listening)

    async def _listen(self) -> None:
        while True:
            pcm = await self._audio.get()
            for start in range(0, len(pcm), BYTES_PER_FRAME):
                await self.push_frame(InputAudioRawFrame(pcm[start : start + BYTES_PER_FRAME], SAMPLE_RATE_HZ, 1))
                if not self._audio.empty() or len(pcm) > _MANY_BYTES:
                    await asyncio.sleep(FRAME_MS / 1000 / _CATCH_UP_SPEED)


class _Mouth(FrameProcessor):
    """Hands audio to the playout, and what belongs beside the audio on, when the audio before it was sent."""

    def __init__(self, playout: Playout, call: Conversation) -> None:
        super().__init__()
        self._playout = playout
        self._call = call
        self._started = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self._playout.say(self._call.answering, frame.audio)
            return
        if isinstance(frame, InterruptionFrame):
            self._flush()
        if isinstance(frame, StartFrame):
            self._started = True
        if direction == FrameDirection.UPSTREAM or isinstance(frame, SystemFrame | StartFrame):
            await self.push_frame(frame, direction)
            return
        if isinstance(frame, TTSStoppedFrame):
            self._playout.end(self._call.answering)
        self._playout.then(lambda: self.push_frame(frame, direction))

    async def announce(self, kind: type[Frame]) -> None:
        if self._started:
            await self.broadcast_frame(kind)

    def _flush(self) -> None:
        if (turn := self._playout.flush()) is not None:
            self._call.flushed(turn)


class _TurnStart(VADUserTurnStartStrategy):
    """A caller who speaks interrupts the agent, but not its greeting: "Hello?" over it is no reason to stop."""

    def __init__(self, playout: Playout) -> None:
        super().__init__()
        self._playout = playout

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        if not isinstance(frame, VADUserStartedSpeakingFrame):
            return ProcessFrameResult.CONTINUE
        await self.trigger_user_turn_started(enable_interruptions=self._playout.speaking != 0)
        return ProcessFrameResult.STOP
