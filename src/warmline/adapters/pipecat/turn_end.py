"""When the caller's turn is over."""

import asyncio

from pipecat.audio.turn.base_turn_analyzer import EndOfTurnState
from pipecat.audio.turn.smart_turn.base_smart_turn import BaseSmartTurn
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    MetricsFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_stop import BaseUserTurnStopStrategy

__all__ = ["HeardTurnStop", "sounds_unfinished"]

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

    The turn model is wrong for one sentence in five of synthetic speech, and Pipecat then waits 3 s. Here its
    "incomplete" buys the caller `patience_sec` more, counted from the VAD's stop, and three times that when the words
    themselves sound unfinished. A turn in which nothing was said ends at once, empty.
    """

    def __init__(self, analyzer: BaseSmartTurn, *, patience_sec: float) -> None:
        super().__init__()
        self._analyzer = analyzer
        self._patience_sec = patience_sec
        self._speaking = False
        self._said = ""
        self._heard = self._complete = self._judged = False
        self._waiting: asyncio.Task[None] | None = None

    async def setup(self, setup: FrameProcessorSetup) -> None:  # type: ignore[override] # as Pipecat's own strategies do
        """Tell the model what it will hear."""
        await super().setup(setup)
        self._analyzer.set_sample_rate(setup.audio_in_sample_rate)

    async def cleanup(self) -> None:
        """End the model's thread and the waiting."""
        await super().cleanup()
        await self._stop_waiting()
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
                self._analyzer.append_audio(frame.audio, self._speaking)
            case VADUserStartedSpeakingFrame():
                await self._on_speech(frame)
            case VADUserStoppedSpeakingFrame():
                await self._on_silence()
            case TranscriptionFrame():
                self._said = f"{self._said} {frame.text}".strip()
                self._heard = True
                await self._maybe_stop()
        return ProcessFrameResult.CONTINUE

    async def _on_speech(self, frame: VADUserStartedSpeakingFrame) -> None:
        self._analyzer.update_vad_start_secs(frame.start_secs)
        self._speaking = True
        self._heard = self._complete = self._judged = False
        await self._stop_waiting()

    async def _on_silence(self) -> None:
        self._speaking = False
        state, verdict = await self._analyzer.analyze_end_of_turn()
        if self._speaking:
            return
        if verdict is not None:
            await self.push_frame(MetricsFrame(data=[verdict]))
        self._complete = state == EndOfTurnState.COMPLETE
        self._judged = True
        await self._maybe_stop()

    async def _maybe_stop(self) -> None:
        if not (self._heard and self._judged) or self._speaking:
            return
        if self._complete or not self._said:
            await self._stop_waiting()
            await self.trigger_user_turn_stopped()
        elif self._waiting is None:
            self._waiting = self.task_manager.create_task(self._wait(), f"{self}::patience")

    async def _wait(self) -> None:
        await asyncio.sleep(self._patience_sec * (3 if sounds_unfinished(self._said) else 1))
        self._waiting = None
        self._complete = True
        await self._maybe_stop()

    async def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            await self.task_manager.cancel_task(waiting)

    def _forget(self) -> None:
        self._said = ""
        self._heard = self._complete = self._judged = False
