"""One answer of the agent: its frames as they were heard, and whether they are what the agent says it sent."""

import hashlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from warmline.measure.audibility import longest_silence_sec, speech_onset
from warmline.measure.playout import Played, heard_audio
from warmline.measure.wire_audio import SAMPLE_RATE_HZ

__all__ = ["Answer"]


@dataclass(slots=True)
class Answer:
    """Between `bot_started` and `bot_stopped`. Times are seconds of the caller's clock."""

    turn: int
    started_sec: float
    stopped_sec: float | None = None
    interrupted: bool = False
    fault: str | None = None
    _played: list[Played] = field(default_factory=list)
    _received_bytes: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)
    _onset_sec: float | None = None

    def received(self, pcm: bytes, played: Played) -> None:
        """A frame of this answer arrived and will be played."""
        self._played.append(played)
        self._received_bytes += len(pcm)
        self._digest.update(pcm)

    def stopped(self, at_sec: float, samples: object, sha256: object, *, interrupted: bool) -> None:
        """The agent said that the answer is over, and what it was: any difference is a fault."""
        self.stopped_sec = at_sec
        self.interrupted = interrupted
        if samples != self._received_bytes // 2:
            self.fault = f"turn {self.turn}: {self._received_bytes // 2} samples arrived, {samples} were announced"
        elif sha256 != self._digest.hexdigest():
            self.fault = f"turn {self.turn}: the audio that arrived is not what was sent (SHA-256 differs)"

    @property
    def received_bytes(self) -> int:
        """PCM bytes that arrived so far."""
        return self._received_bytes

    @property
    def ends_sec(self) -> float:
        """When what arrived so far will have been heard."""
        return self._played[-1].end_sec if self._played else self.started_sec

    def over(self, now_sec: float) -> bool:
        """Whether the agent said that it is over, and all of it has been heard."""
        return self.stopped_sec is not None and now_sec >= self.ends_sec

    def onset_sec(self) -> float | None:
        """When the first audible sample of its speech is heard; None while less than 200 ms of speech has arrived."""
        if self._onset_sec is None:
            began_sec, sound = heard_audio(self._played)
            onset = speech_onset(sound)
            self._onset_sec = None if onset is None else began_sec + onset / SAMPLE_RATE_HZ
        return self._onset_sec

    def longest_silence_ms(self) -> float:
        """The longest inaudible stretch inside it, pauses between sentences included."""
        return 1000 * longest_silence_sec(heard_audio(self._played)[1])

    def longest_wait_ms(self) -> float:
        """The longest time for which the player had nothing to play inside it: frames that came too late."""
        waits = (after.start_sec - before.end_sec for before, after in pairwise(self._played))
        return 1000 * max(waits, default=0.0)
