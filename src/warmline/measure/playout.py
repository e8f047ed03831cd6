"""The caller's loudspeaker: a player without jitter, in virtual time.

A frame is played when it arrives, or when the one before it has ended, whichever is later.
"""

from dataclasses import dataclass

import numpy as np

from warmline.measure.wire_audio import SAMPLE_RATE_HZ, Samples

__all__ = ["Played", "Playout", "heard_audio"]


@dataclass(slots=True)
class Played:
    """A frame and when its first sample is heard; a flush may shorten it."""

    start_sec: float
    samples: Samples

    @property
    def end_sec(self) -> float:
        """When its last sample has been heard."""
        return self.start_sec + len(self.samples) / SAMPLE_RATE_HZ


class Playout:
    """Plays frames one after the other."""

    def __init__(self) -> None:
        self._played: list[Played] = []
        self._free_sec = 0.0

    @property
    def free_sec(self) -> float:
        """When everything that has arrived will have been played."""
        return self._free_sec

    def play(self, samples: Samples, arrived_sec: float) -> Played:
        """Take a frame that arrived now."""
        played = Played(max(arrived_sec, self._free_sec), samples)
        self._free_sec = played.end_sec
        self._played.append(played)
        return played

    def flush(self, at_sec: float) -> None:
        """Drop what is not played yet; the frame being played is cut short."""
        while self._played and self._played[-1].end_sec > at_sec:
            late = self._played[-1]
            keep = max(0, round((at_sec - late.start_sec) * SAMPLE_RATE_HZ))
            late.samples = late.samples[:keep]
            if keep:
                break
            late.start_sec = at_sec
            self._played.pop()
        self._free_sec = min(self._free_sec, at_sec)


def heard_audio(played: list[Played]) -> tuple[float, Samples]:
    """When the first of these frames began, and the sound from there on: silence where a frame came too late."""
    if not played:
        return 0.0, np.zeros(0, dtype=np.int16)
    began_sec = played[0].start_sec
    sound = np.zeros(round((played[-1].end_sec - began_sec) * SAMPLE_RATE_HZ) + 1, dtype=np.int16)
    end = 0
    for frame in played:
        # Rounding may put neighbours one sample apart; they belong together.
        start = round((frame.start_sec - began_sec) * SAMPLE_RATE_HZ)
        start = end if start - end <= 1 else start
        end = start + len(frame.samples)
        sound[start:end] = frame.samples[: len(sound) - start]
    return began_sec, sound[:end]
