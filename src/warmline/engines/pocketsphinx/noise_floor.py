"""A trace of noise under every sample: digital silence has no spectrum, and a recogniser takes its logarithm."""

import random
from array import array
from itertools import cycle
from operator import add

__all__ = ["NoiseFloor"]

_RMS = 3.0  # about -80 dBFS, below any microphone's own
_PERIOD_SAMPLES = 8_000
_LEAST, _MOST = -32_768, 32_767


class NoiseFloor:
    """Adds the same noise to the same audio, so that what is heard can be reproduced.

    Without NumPy, whose import would take a third of the time in which a recogniser's process starts.
    """

    def __init__(self) -> None:
        self._noise = _nearly_normal()
        self.reset()

    def reset(self) -> None:
        """Begin again with the first sample of the noise."""
        self._ahead = cycle(self._noise)

    def under(self, pcm: bytes) -> bytes:
        """`pcm` (s16le mono) with the noise beneath it."""
        noisy = list(map(add, array("h", pcm), self._ahead))
        if noisy and (min(noisy) < _LEAST or max(noisy) > _MOST):
            noisy = [min(_MOST, max(_LEAST, sample)) for sample in noisy]
        return array("h", noisy).tobytes()


def _nearly_normal() -> list[int]:
    """Each is the sum of four even ones, brought to the wanted deviation."""
    even = iter(random.Random(0).randbytes(4 * _PERIOD_SAMPLES))
    deviation = (4 * (256**2 - 1) / 12) ** 0.5
    return [round(_RMS * (sum(four) - 4 * 127.5) / deviation) for four in zip(even, even, even, even, strict=True)]
