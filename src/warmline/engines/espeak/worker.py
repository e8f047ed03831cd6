"""What runs in espeak-ng's worker processes: text in, PCM out, until told otherwise."""

from collections.abc import Callable, Mapping

import numpy as np
import soxr

from warmline.engines.espeak.library import Espeak
from warmline.workers import Channel

__all__ = ["load"]

_WARM_UP_TEXT = "Hello."


def load(config: Mapping[str, object]) -> Callable[[Channel], None]:
    """Load the voice in the template and prove that it speaks."""
    espeak = Espeak(str(config["voice"]), int(str(config["rate_wpm"])))
    speaker = _Speaker(espeak, int(str(config["sample_rate_hz"])))
    if speaker.speak(_WARM_UP_TEXT, lambda _: True) == 0:
        raise RuntimeError("espeak-ng gave no audio")
    return speaker.serve


class _Speaker:
    def __init__(self, espeak: Espeak, sample_rate_hz: int) -> None:
        self._espeak = espeak
        self._sample_rate_hz = sample_rate_hz

    def serve(self, channel: Channel) -> None:
        """Answer {"say": text} with PCM messages, then {"samples": n}.

        Any further message ends the utterance at once, {"stop": true} does nothing else; {"samples": n} comes always.
        """
        while (request := channel.receive()) is not None:
            assert not isinstance(request, bytes), "espeak is sent control messages only"
            if "say" in request:
                samples = self.speak(str(request["say"]), lambda pcm: _unless_stopped(channel, pcm))
                channel.send({"samples": samples})

    def speak(self, text: str, sink: Callable[[bytes], bool]) -> int:
        """Speak at the wanted rate; returns how many samples the sink was given."""
        resampler = soxr.ResampleStream(self._espeak.sample_rate_hz, self._sample_rate_hz, 1, dtype="int16")
        count = 0

        def resampled(pcm: bytes, *, last: bool = False) -> bool:
            nonlocal count
            samples = resampler.resample_chunk(np.frombuffer(pcm, np.int16), last=last)
            count += len(samples)
            return sink(samples.tobytes()) if len(samples) else True

        self._espeak.speak(text, resampled)
        resampled(b"", last=True)
        return count


def _unless_stopped(channel: Channel, pcm: bytes) -> bool:
    channel.send(pcm)
    return not channel.pending()
