"""Something to say on the line, with the moment at which it ends known to the sample."""

from dataclasses import dataclass, field

import numpy as np

from warmline.errors import ConfigError
from warmline.measure.audibility import audible_span
from warmline.measure.wire_audio import FRAME_BYTES, FRAME_SEC, SAMPLE_RATE_HZ, Samples

__all__ = ["Utterance"]

_FRAME_SAMPLES = FRAME_BYTES // 2


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech at 16 kHz; what comes after its last audible sample is cut off. `audible_after_sec` is the length
    of the silence before its first.

    Raises:
        ConfigError: nothing in it is audible.
    """

    text: str
    samples: Samples = field(repr=False)
    audible_after_sec: float = field(init=False)

    def __post_init__(self) -> None:
        span = audible_span(self.samples)
        if span is None:
            raise ConfigError(f"nothing audible in the speech of {self.text!r}")
        object.__setattr__(self, "samples", self.samples[: span[1] + 1])
        object.__setattr__(self, "audible_after_sec", span[0] / SAMPLE_RATE_HZ)

    @property
    def lasts_sec(self) -> float:
        """From its first sample to its last audible one."""
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def frame_count(self) -> int:
        """Frames of 20 ms that carry it."""
        return -(-len(self.samples) // _FRAME_SAMPLES)

    def frame(self, index: int) -> bytes:
        """The frame at `index`, the last one filled up with silence."""
        part = self.samples[index * _FRAME_SAMPLES : (index + 1) * _FRAME_SAMPLES]
        return np.pad(part, (0, _FRAME_SAMPLES - len(part))).astype("<i2").tobytes()

    def ended_sec(self, last_frame_sec: float) -> float:
        """When its last audible sample was spoken, given when its last frame was due to leave.

        A microphone's frame leaves when its last sample has been taken: sample i of it was spoken that much earlier.
        """
        in_last_frame = len(self.samples) - (self.frame_count - 1) * _FRAME_SAMPLES
        return last_frame_sec - FRAME_SEC + in_last_frame / SAMPLE_RATE_HZ
