"""The channel and loudness of one voice, from its first moments: without them, the first utterance is misheard.

A recogniser subtracts the mean of the cepstrum (cepstral mean normalisation). pocketsphinx starts from a mean of its
own and moves it slowly, over about 500 frames; a voice far from that mean is heard much worse until then. The mean is
measured here from the beginning of the call's first utterance instead.
"""

from array import array
from collections.abc import Sequence
from operator import mul
from typing import Any

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
_FRAME_BYTES = _FRAME_SAMPLES * 2


class VoiceLevel:
    """Collects the beginning of an utterance until it says enough about the voice. `decoder` serves nothing else."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._audio = bytearray()
        self._power: list[float] = []  # mean square of each whole frame

    def reset(self) -> None:
        """Another utterance begins."""
        self._audio.clear()
        self._power.clear()

    def hear(self, pcm: bytes) -> bool:
        """Take in audio; whether there is enough of the voice, or it has fallen quiet again."""
        self._audio += pcm
        for start in range(len(self._power) * _FRAME_BYTES, len(self._audio) - _FRAME_BYTES + 1, _FRAME_BYTES):
            frame = array("h", self._audio[start : start + _FRAME_BYTES])
            self._power.append(sum(map(mul, frame, frame)) / _FRAME_SAMPLES)
        if (loud := self._loud_frames()) is None:
            return False
        heard_sec = (len(self._power) - loud.start) * _FRAME_SAMPLES / _RATE_HZ
        quiet_sec = (len(self._power) - loud.stop) * _FRAME_SAMPLES / _RATE_HZ
        return heard_sec >= _ENOUGH_SEC or (heard_sec >= 2 * _QUIET_SEC and quiet_sec >= _QUIET_SEC)

    def take(self) -> bytes:
        """The audio collected, from shortly before the voice sets in."""
        loud = self._loud_frames()
        start = 0 if loud is None else max(0, loud.start * _FRAME_SAMPLES - int(_LEAD_SEC * _RATE_HZ))
        return bytes(self._audio[start * 2 :])

    def mean(self) -> str:
        """The cepstral mean of the voice, as pocketsphinx writes it; after little audio nearly a typical one."""
        audio = self._voiced()
        frames = len(audio) / 2 / _FRAME_SAMPLES - _LOST_FRAMES
        if frames < _LEAST_FRAMES:
            return _TYPICAL_VOICE
        own, typical = self._sum_of(audio, frames), _numbers(_TYPICAL_VOICE)
        mixed = [total + usual * _TYPICAL_FRAMES for total, usual in zip(own, typical, strict=True)]
        return ",".join(f"{value / (frames + _TYPICAL_FRAMES):.2f}" for value in mixed)

    def _sum_of(self, audio: bytes, frames: float) -> Sequence[float]:
        self._decoder.set_cmn(_PRIOR)
        self._decoder.start_utt()
        self._decoder.process_raw(audio, True, False)
        mixed = _numbers(self._decoder.get_cmn(True))
        self._decoder.end_utt()
        # pocketsphinx reports prior and voice mixed by their frames; undo the mixing.
        return [
            both * (_PRIOR_FRAMES + frames) - before * _PRIOR_FRAMES
            for both, before in zip(mixed, _numbers(_PRIOR), strict=True)
        ]

    def _voiced(self) -> bytes:
        """Without the silence before and after, which has another mean."""
        loud = self._loud_frames()
        return b"" if loud is None else bytes(self._audio[loud.start * _FRAME_BYTES : loud.stop * _FRAME_BYTES])

    def _loud_frames(self) -> range | None:
        """From the first loud frame to the last; None while all is quiet."""
        above = max(_FLOOR_RMS**2, _LOUD_SHARE**2 * max(self._power, default=0.0))
        first = next((place for place, power in enumerate(self._power) if power > above), None)
        if first is None:
            return None
        last = next(place for place in reversed(range(len(self._power))) if self._power[place] > above)
        return range(first, last + 1)


def _numbers(mean: str) -> list[float]:
    return [float(value) for value in mean.split(",")]
