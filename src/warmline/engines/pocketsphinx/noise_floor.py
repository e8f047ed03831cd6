"""A trace of noise under every sample: digital silence has no spectrum, and a recogniser takes its logarithm."""

import numpy as np

__all__ = ["NoiseFloor"]

_RMS = 3.0  # about -80 dBFS, below any microphone's own
_PERIOD_SAMPLES = 16_000


class NoiseFloor:
    """Adds the same noise to the same audio, so that what is heard can be reproduced."""

    def __init__(self) -> None:
        noise = np.random.default_rng(0).normal(0, _RMS, _PERIOD_SAMPLES)
        self._noise = np.round(noise).astype(np.int32)
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
