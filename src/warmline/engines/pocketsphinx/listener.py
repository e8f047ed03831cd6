"""Two decoders side by side on one caller's audio: one expects what the scenario expects, one expects anything."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pocketsphinx import Decoder

from warmline.engines.pocketsphinx.model_files import NarrowModel
from warmline.engines.pocketsphinx.noise_floor import NoiseFloor
from warmline.engines.pocketsphinx.voice_level import VoiceLevel

__all__ = ["Heard", "Listener", "load_listener"]

_CHUNK_BYTES = 1280
# The narrow decoder is believed when its hypothesis scores this much better than that of the general one. On 32 known
# and 32 other wordings by three voices, 1.00 to 1.10 differ little, and beyond that known wordings suffer.
_NARROW_ADVANTAGE = 1.07
# Without the second and third pass the answer is there within milliseconds, for one word in a hundred more.
_FAST = {"loglevel": "FATAL", "samprate": 16_000, "fwdflat": False}
_GENERAL_WEIGHT = 8.0


class _Hypothesis(Protocol):
    hypstr: str
    prob: float
    score: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard; `source` is "narrow", "general", or "" when nothing was."""

    text: str
    confidence: float
    source: str


class Listener:
    """One caller's ear. Blocking; decodes as audio comes, so that finishing takes milliseconds."""

    def __init__(self, narrow: Any, general: Any, level: VoiceLevel) -> None:
        self._decoders = (narrow, general)
        self._level = level
        self._floor = NoiseFloor()
        self._levelled = False
        self._open = False
        self._decoding = False

    def begin(self) -> None:
        """An utterance begins; what an unfinished one had heard is dropped."""
        self._drop()
        self._level.reset()
        self._floor.reset()
        self._open = True
        if self._levelled:
            self._start()

    def feed(self, pcm: bytes) -> None:
        """Audio of the utterance. The first of a call is held back for most of a second of voice (`VoiceLevel`)."""
        if not self._open:
            return
        audible = self._floor.under(pcm)
        if self._decoding:
            self._decode(audible)
        elif self._level.hear(audible):
            self._start_levelled()

    def finish(self) -> Heard:
        """The utterance is over."""
        if self._open and not self._decoding:
            self._start_levelled()
        if not self._decoding:
            return Heard("", 0.0, "")
        self._open = self._decoding = False
        for decoder in self._decoders:
            decoder.end_utt()
        return _better(*(decoder.hyp() for decoder in self._decoders))

    def forget_voice(self) -> None:
        """The next utterance is another caller's."""
        self._levelled = False

    def _start_levelled(self) -> None:
        mean = self._level.mean()
        if mean is not None:
            for decoder in self._decoders:
                decoder.set_cmn(mean)
            self._levelled = True
        self._start()
        self._decode(self._level.take())

    def _start(self) -> None:
        for decoder in self._decoders:
            decoder.start_utt()
        self._decoding = True

    def _decode(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), _CHUNK_BYTES):
            for decoder in self._decoders:
                decoder.process_raw(pcm[start : start + _CHUNK_BYTES], False, False)

    def _drop(self) -> None:
        if self._decoding:
            for decoder in self._decoders:
                decoder.end_utt()
        self._open = self._decoding = False


def load_listener(model: NarrowModel) -> Callable[[], Listener]:
    """Load the decoders (blocking, about a third of a second); the result makes listeners that share them in turn."""
    files = {"lm": str(model.language_model), "dict": str(model.dictionary)}
    narrow, leveller = Decoder(**_FAST, **files), Decoder(**_FAST, **files)
    general = Decoder(**_FAST, lw=_GENERAL_WEIGHT)
    return lambda: Listener(narrow, general, VoiceLevel(leveller))


def _better(narrow: _Hypothesis | None, general: _Hypothesis | None) -> Heard:
    if narrow is not None and (general is None or narrow.score >= _NARROW_ADVANTAGE * general.score):
        return Heard(narrow.hypstr, _confidence(narrow), "narrow")
    if general is not None:
        return Heard(general.hypstr, _confidence(general), "general")
    return Heard("", 0.0, "")


def _confidence(hypothesis: _Hypothesis) -> float:
    """The posterior of the hypothesis, as the geometric mean of its words: long sentences are no less sure."""
    words = max(1, len(hypothesis.hypstr.split()))
    return float(min(1.0, max(0.0, hypothesis.prob)) ** (1 / words)) if hypothesis.hypstr else 0.0
