"""One caller's ear: a decoder that hears while the caller speaks, set to the caller's voice."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocketsphinx import Decoder

from warmline.engines.pocketsphinx.model_files import ModelFiles
from warmline.engines.pocketsphinx.noise_floor import NoiseFloor
from warmline.engines.pocketsphinx.voice_level import VoiceLevel

__all__ = ["Heard", "Listener", "load_listener"]

_CHUNK_BYTES = 1280
# Without the second of the three passes the answer is there within milliseconds, for one word in a hundred more.
_SETTINGS = {"loglevel": "FATAL", "samprate": 16_000, "fwdflat": False, "lw": 8.0, "bestpathlw": 11.0, "topn": 8}
# The leveller needs something to search for, and as little as possible.
_LEAST_DICTIONARY = Path(__file__).with_name("leveller.dict")
_LEAST_GRAMMAR = "#JSGF V1.0; grammar least; public <least> = yes;"


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard, and how sure that is (0 to 1)."""

    text: str
    confidence: float


class Listener:
    """Blocking; decodes as audio comes, so that finishing takes milliseconds."""

    def __init__(self, decoder: Any, level: VoiceLevel) -> None:
        self._decoder = decoder
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
            return Heard("", 0.0)
        self._open = self._decoding = False
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return Heard("", 0.0) if hypothesis is None else Heard(hypothesis.hypstr, _confidence(hypothesis))

    def forget_voice(self) -> None:
        """The next utterance is another caller's."""
        self._levelled = False

    def _start_levelled(self) -> None:
        self._decoder.set_cmn(self._level.mean())
        self._levelled = True
        self._start()
        self._decode(self._level.take())

    def _start(self) -> None:
        self._decoder.start_utt()
        self._decoding = True

    def _decode(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), _CHUNK_BYTES):
            self._decoder.process_raw(pcm[start : start + _CHUNK_BYTES], False, False)

    def _drop(self) -> None:
        if self._decoding:
            self._decoder.end_utt()
        self._open = self._decoding = False


def load_listener(files: ModelFiles) -> Callable[[], Listener]:
    """Load the decoder (blocking, about a third of a second); the result makes listeners that share it in turn."""
    decoder = Decoder(**_SETTINGS, lm=str(files.language_model), dict=str(files.dictionary))
    leveller = Decoder(**_SETTINGS, lm=None, dict=str(_LEAST_DICTIONARY))
    leveller.add_jsgf_string("least", _LEAST_GRAMMAR)
    leveller.activate_search("least")
    return lambda: Listener(decoder, VoiceLevel(leveller))


def _confidence(hypothesis: Any) -> float:
    """The posterior of the hypothesis, as the geometric mean of its words: long sentences are no less sure."""
    words = max(1, len(hypothesis.hypstr.split()))
    return float(min(1.0, max(0.0, hypothesis.prob)) ** (1 / words)) if hypothesis.hypstr else 0.0
