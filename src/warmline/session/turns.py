"""The turns of one call, and when each of their stages was reached."""

from enum import StrEnum

from warmline.clock import Clock

__all__ = ["Stage", "TurnLog"]


class Stage(StrEnum):
    """What a turn passes through, in this order. The greeting has the first two and the last."""

    ACCEPTED = "accepted"
    SESSION_OPEN = "session_open"
    SPEECH_END = "speech_end"
    VAD_STOP = "vad_stop"
    STT_FINAL = "stt_final"
    TURN_DECIDED = "turn_decided"
    LLM_SENT = "llm_sent"
    LLM_FIRST_TOKEN = "llm_first_token"
    FIRST_SENTENCE = "first_sentence"
    TTS_FIRST_BYTE = "tts_first_byte"
    FIRST_AUDIO_SENT = "first_audio_sent"


# A caller who pauses passes these more than once in a turn: the last time is the one that counts.
_HEARING = frozenset({Stage.SPEECH_END, Stage.VAD_STOP, Stage.STT_FINAL})


class TurnLog:
    """Numbers the turns (0 is the greeting) and keeps their stages in milliseconds since the call was accepted.

    Two turns can be open at once: the one being answered, and the one that the caller has begun over it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accepted_sec = clock.now()
        self._stages_ms: dict[int, dict[str, float]] = {0: {Stage.ACCEPTED: 0.0}}
        self.answering: int = 0
        """The number of the turn that was decided last."""

    @property
    def hearing(self) -> int:
        """The number that what the caller says now will have, if it is answered."""
        return self.answering + 1

    def now_ms(self) -> float:
        """Milliseconds since the call was accepted."""
        return round((self._clock.now() - self._accepted_sec) * 1000, 1)

    def mark(self, stage: Stage, *, earlier_ms: float = 0.0) -> None:
        """The turn at hand reached `stage`, now or `earlier_ms` ago."""
        at_ms = round(self.now_ms() - earlier_ms, 1)
        if stage in _HEARING:
            self._of(self.hearing)[stage] = at_ms
        else:
            self._of(self.answering).setdefault(stage, at_ms)

    def decide(self) -> int:
        """What was heard is to be answered: its turn has a number from here on."""
        self.answering = self.hearing
        self.mark(Stage.TURN_DECIDED)
        return self.answering

    def forget_hearing(self) -> None:
        """What was heard is not to be answered."""
        self._stages_ms.pop(self.hearing, None)

    def stages_ms(self, turn: int) -> dict[str, float]:
        """The stages that `turn` has reached, in the order in which they happen."""
        reached = self._of(turn)
        return {stage.value: reached[stage] for stage in Stage if stage in reached}

    def _of(self, turn: int) -> dict[str, float]:
        return self._stages_ms.setdefault(turn, {})
