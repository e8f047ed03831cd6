"""A trace of noise under every sample: digital silence has no spectrum, and a recogniser takes its logarithm."""

import random

import numpy as np

__all__ = ["NoiseFloor"]

_RMS = 3.0  # about -80 dBFS, below any microphone's own
_PERIOD_SAMPLES = 16_000


class NoiseFloor:
    """Adds the same noise to the same audio, so that what is heard can be reproduced."""

    def __init__(self) -> None:
        self._noise = np.round(_RMS * _nearly_normal(_PERIOD_SAMPLES)).astype(np.int32)
        self._at = 0

    def reset(self) -> None:
        """Begin again with the first sample of the noise."""
        self._at = 0

    def under(self, pcm: bytes) -> bytes:
        """`pcm` (s16le mono) with the noise beneath it."""
        samples = np.frombuffer(pcm, np.int16).astype(np.int32)
        places = np.arange(self._at, self._at + len(samples)) % _PERIOD_SAMPLES
        self._at = (self._at + len(samples)) % _PERIOD_SAMPLES
        noisy: bytes = np.clip(samples + self._noise[places], -32768, 32767).astype(np.int16).tobytes()
        return noisy


def _nearly_normal(count: int) -> "np.typing.NDArray[np.float64]":
    """Mean 0, deviation 1: sums of four even ones, without `numpy.random`, whose import takes longer than all of it."""
    even = np.frombuffer(random.Random(0).randbytes(4 * count), np.uint8).reshape(count, 4)
    deviation = (4 * (256**2 - 1) / 12) ** 0.5
    summed: np.typing.NDArray[np.float64] = (even.sum(axis=1) - 4 * 127.5) / deviation
    return summed
