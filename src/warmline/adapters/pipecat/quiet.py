"""Notices that a speaker may have stopped, well before the VAD is sure of it."""

import numpy as np

__all__ = ["QuietWatch"]

_QUIET_MS = 100.0
_QUIET_SHARE = 0.1
_FLOOR_RMS = 30.0


class QuietWatch:
    """Watches the loudness of an utterance, frame by frame.

    A tenth of the loudest frame so far, held for 100 ms, is a pause longer than those inside words. It costs nothing
    to be wrong: who acts on it only begins work early.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._sample_rate_hz = sample_rate_hz
        self.reset()

    def reset(self) -> None:
        """Another utterance begins."""
        self._loudest_rms = 0.0
        self._quiet_ms = 0.0

    @property
    def quiet(self) -> bool:
        """Whether the speaker may have stopped."""
        return self._quiet_ms >= _QUIET_MS

    def hear(self, pcm: bytes) -> bool:
        """Take in a frame (s16le mono); True when the speaker may have stopped just now."""
        samples = np.frombuffer(pcm, np.int16).astype(np.float32)
        rms = float(np.sqrt(np.mean(samples * samples))) if samples.size else 0.0
        self._loudest_rms = max(self._loudest_rms, rms)
        was_quiet = self.quiet
        if rms > max(_FLOOR_RMS, _QUIET_SHARE * self._loudest_rms):
            self._quiet_ms = 0.0
        else:
            self._quiet_ms += samples.size * 1000 / self._sample_rate_hz
        return self.quiet and not was_quiet
