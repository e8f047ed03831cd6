"""The channel and loudness of one voice, from its first moments: without them, the first utterance is misheard.

A recogniser subtracts the mean of the cepstrum (cepstral mean normalisation). pocketsphinx starts from a mean of its
own and moves it slowly, over about 500 frames; a voice far from that mean is heard much worse until then. The mean is
measured here from the beginning of the call's first utterance instead.
"""

from typing import Any

import numpy as np

__all__ = ["VoiceLevel"]

_RATE_HZ = 16_000
_FRAME_SAMPLES = 160
_PRIOR = "40,3,-1,0,0,0,0,0,0,0,0,0,0"
_PRIOR_FRAMES = 500  # the weight that pocketsphinx gives to the mean it starts from (CMN_WIN in cmn.h)
_LOST_FRAMES = 2  # at the end of audio whose features still want their neighbours
_LEAST_FRAMES = 3
# What a voice is taken for until it has been heard: the mean over four synthetic voices. It counts as much as 0.3 s of
# the caller's own, so that a single short word moves it only a little.
_TYPICAL_VOICE = "41.00,-5.29,-0.12,5.09,2.48,-4.07,-1.37,-1.78,-5.08,-2.05,-6.45,-1.42,1.17"
_TYPICAL_FRAMES = 30
_LEAD_SEC = 0.1
_ENOUGH_SEC = 0.8
_QUIET_SEC = 0.15
_LOUD_SHARE = 0.05
_FLOOR_RMS = 30.0


class VoiceLevel:
    """Collects the beginning of an utterance until it says enough about the voice. `decoder` serves nothing else."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._audio = bytearray()

    def reset(self) -> None:
        """Another utterance begins."""
        self._audio.clear()

    def hear(self, pcm: bytes) -> bool:
        """Take in audio; whether there is enough of the voice, or it has fallen quiet again."""
        self._audio += pcm
        loud = self._loud_frames()
        if not loud.size:
            return False
        heard_sec = (self._frames() - loud[0]) * _FRAME_SAMPLES / _RATE_HZ
        quiet_sec = (self._frames() - 1 - loud[-1]) * _FRAME_SAMPLES / _RATE_HZ
        return bool(heard_sec >= _ENOUGH_SEC or (heard_sec >= 2 * _QUIET_SEC and quiet_sec >= _QUIET_SEC))

    def take(self) -> bytes:
        """The audio collected, from shortly before the voice sets in."""
        loud = self._loud_frames()
        start = max(0, int(loud[0]) * _FRAME_SAMPLES - int(_LEAD_SEC * _RATE_HZ)) if loud.size else 0
        return bytes(self._audio[start * 2 :])

    def mean(self) -> str:
        """The cepstral mean of the voice, as pocketsphinx writes it; after little audio nearly a typical one."""
        audio = self._voiced()
        frames = len(audio) / 2 / _FRAME_SAMPLES - _LOST_FRAMES
        if frames < _LEAST_FRAMES:
            return _TYPICAL_VOICE
        voice = (self._sum_of(audio, frames) + _numbers(_TYPICAL_VOICE) * _TYPICAL_FRAMES) / (frames + _TYPICAL_FRAMES)
        return ",".join(f"{value:.2f}" for value in voice)

    def _sum_of(self, audio: bytes, frames: float) -> "np.typing.NDArray[np.float64]":
        self._decoder.set_cmn(_PRIOR)
        self._decoder.start_utt()
        self._decoder.process_raw(audio, True, False)
        mixed = _numbers(self._decoder.get_cmn(True))
        self._decoder.end_utt()
        # pocketsphinx reports prior and voice mixed by their frames; undo the mixing.
        return mixed * (_PRIOR_FRAMES + frames) - _numbers(_PRIOR) * _PRIOR_FRAMES

    def _voiced(self) -> bytes:
        """Without the silence before and after, which has another mean."""
        loud = self._loud_frames()
        if not loud.size:
            return b""
        return bytes(self._audio[int(loud[0]) * _FRAME_SAMPLES * 2 : (int(loud[-1]) + 1) * _FRAME_SAMPLES * 2])

    def _frames(self) -> int:
        return len(self._audio) // 2 // _FRAME_SAMPLES

    def _loud_frames(self) -> "np.typing.NDArray[np.intp]":
        samples = np.frombuffer(self._audio[: self._frames() * _FRAME_SAMPLES * 2], np.int16).astype(np.float32)
        if not samples.size:
            return np.zeros(0, np.intp)
        rms = np.sqrt(np.mean(samples.reshape(-1, _FRAME_SAMPLES) ** 2, axis=1))
        return np.flatnonzero(rms > max(_FLOOR_RMS, _LOUD_SHARE * float(rms.max())))


def _numbers(mean: str) -> "np.typing.NDArray[np.float64]":
    return np.array([float(value) for value in mean.split(",")])
