"""When the caller's turn is over."""

import asyncio
from collections.abc import Callable

from pipecat.audio.turn.base_turn_analyzer import EndOfTurnState
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    MetricsFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import MetricsData
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_stop import BaseUserTurnStopStrategy

from warmline.adapters.pipecat.analyzers import TurnAnalyzer
from warmline.adapters.pipecat.marks import Mark, unmarked
from warmline.adapters.pipecat.quiet import QuietWatch

__all__ = ["HeardTurnStop", "sounds_unfinished"]

# From the moment when the caller seems to have stopped until the VAD is sure, about.
_VAD_STILL_WAITS_MS = 100.0
_FINISHED_SHARE, _UNFINISHED_SHARE = 0.25, 3.0

_Verdict = tuple[EndOfTurnState, MetricsData | None]

# Words that hardly ever end a request: someone who stops on one is looking for the next.
_DETERMINERS = frozenset(("a", "an", "the", "my", "your", "our", "his", "her", "their", "some", "any"))
_PREPOSITIONS = frozenset(("for", "at", "on", "in", "to", "of", "from", "with", "by", "about"))
_CONJUNCTIONS = frozenset(("and", "or", "but", "so", "because", "if", "when"))
_AUXILIARIES = frozenset(("i'd", "i'll", "we'd", "we'll", "is", "are", "was", "would", "could", "can"))
_FILLERS = frozenset(("uh", "um", "er", "well", "like"))
_UNFINISHED = _DETERMINERS | _PREPOSITIONS | _CONJUNCTIONS | _AUXILIARIES | _FILLERS


def sounds_unfinished(text: str) -> bool:
    """Whether `text` stops where nobody stops: on an article, a preposition, a conjunction, a filler."""
    words = text.lower().split()
    return bool(words) and words[-1].strip(".,!?") in _UNFINISHED


class HeardTurnStop(BaseUserTurnStopStrategy):
    """The turn is over when it was transcribed and the turn model says so, or when it goes on being silent.

    The turn model is wrong for one sentence in three of synthetic speech, and Pipecat then waits 3 s. Here its
    "incomplete" buys the caller `patience_sec` more, counted from the VAD's stop: three times that when the words
    themselves sound unfinished, and a quarter of it when `sounds_finished` says that they are all there. The model is
    asked as soon as the caller falls quiet, while the VAD still makes sure, so that its answer is there when the VAD's
    is; it counts only if the caller stayed quiet. A turn in which nothing was said ends at once, empty. `mark` is told
    `turn_decided` or `turn_empty`.
    """

    def __init__(
        self,
        analyzer: TurnAnalyzer,
        *,
        patience_sec: float,
        sounds_finished: Callable[[str], bool] = lambda text: False,
        mark: Mark = unmarked,
    ) -> None:
        super().__init__()
        self._sounds_finished = sounds_finished
        self._mark = mark
        self._analyzer = analyzer
        self._patience_sec = patience_sec
        self._speaking = False
        self._said = ""
        self._owed = 0  # transcripts of utterances that have ended; below 0 when one came before its end
        self._heard = self._complete = self._judged = False
        self._waiting: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[_Verdict] | None = None

    async def setup(self, setup: FrameProcessorSetup) -> None:  # type: ignore[override] # as Pipecat's own strategies do
        """Tell the model what it will hear."""
        await super().setup(setup)
        self._analyzer.set_sample_rate(setup.audio_in_sample_rate)
        self._quiet = QuietWatch(setup.audio_in_sample_rate)

    async def cleanup(self) -> None:
        """End the model's thread and the waiting."""
        await super().cleanup()
        await self._stop_waiting()
        await self._forget_look()
        await self._analyzer.cleanup()

    async def handle_user_turn_started(self) -> None:
        """A new turn: nothing is known of it."""
        self._forget()
        await self._stop_waiting()

    async def handle_user_turn_stopped(self) -> None:
        """The turn ended, perhaps by somebody else's word: drop what belongs to it."""
        self._forget()
        await self._stop_waiting()
        self._analyzer.clear()

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        """Watch speech, silence and transcripts."""
        await super().process_frame(frame)
        match frame:
            case InputAudioRawFrame():
                await self._on_audio(frame.audio)
            case VADUserStartedSpeakingFrame():
                await self._on_speech(frame)
            case VADUserStoppedSpeakingFrame():
                await self._on_silence()
            case TranscriptionFrame():
                self._said = f"{self._said} {frame.text}".strip()
                self._owed -= 1
                self._heard = True
                await self._maybe_stop()
        return ProcessFrameResult.CONTINUE

    async def _on_audio(self, pcm: bytes) -> None:
        self._analyzer.append_audio(pcm, self._speaking)
        if self._speaking and self._quiet.hear(pcm):
            await self._forget_look()
            self._looking = self.task_manager.create_task(
                self._analyzer.look(silence_ahead_ms=_VAD_STILL_WAITS_MS), f"{self}::look"
            )

    async def _on_speech(self, frame: VADUserStartedSpeakingFrame) -> None:
        self._analyzer.update_vad_start_secs(frame.start_secs)
        self._speaking = True
        self._quiet.reset()
        self._heard = self._complete = self._judged = False
        await self._stop_waiting()

    async def _on_silence(self) -> None:
        self._speaking = False
        self._owed += 1
        state, verdict = await self._judge()
        if self._speaking:
            return
        if verdict is not None:
            await self.push_frame(MetricsFrame(data=[verdict]))
        self._complete = state == EndOfTurnState.COMPLETE
        self._judged = True
        await self._maybe_stop()

    async def _judge(self) -> _Verdict:
        look, self._looking = self._looking, None
        if look is not None and self._quiet.quiet:
            return await look
        if look is not None:
            await self.task_manager.cancel_task(look)
        return await self._analyzer.analyze_end_of_turn()

    async def _forget_look(self) -> None:
        look, self._looking = self._looking, None
        if look is not None:
            await self.task_manager.cancel_task(look)

    async def _maybe_stop(self) -> None:
        if not (self._heard and self._judged) or self._owed > 0 or self._speaking:
            return
        if self._complete or not self._said:
            await self._stop_waiting()
            self._mark("turn_decided" if self._said else "turn_empty")
            await self.trigger_user_turn_stopped()
        elif self._waiting is None:
            self._waiting = self.task_manager.create_task(self._wait(), f"{self}::patience")

    async def _wait(self) -> None:
        await asyncio.sleep(self._patience_sec * self._share())
        self._waiting = None
        self._complete = True
        await self._maybe_stop()

    def _share(self) -> float:
        if sounds_unfinished(self._said):
            return _UNFINISHED_SHARE
        return _FINISHED_SHARE if self._sounds_finished(self._said) else 1.0

    async def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            await self.task_manager.cancel_task(waiting)

    def _forget(self) -> None:
        self._said = ""
        self._owed = 0
        self._heard = self._complete = self._judged = False
