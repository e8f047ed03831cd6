"""What runs in Kokoro's worker processes: text in, PCM out, sentence by sentence, until told otherwise."""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soxr

from warmline.engines.kokoro.weights import KokoroWeights
from warmline.errors import WarmlineError
from warmline.models import GraphCache, ModelRegistry
from warmline.workers import Channel

if TYPE_CHECKING:
    from kokoro_onnx import Kokoro

    Samples = np.ndarray[tuple[int], np.dtype[np.float32]]

__all__ = ["load"]

_KOKORO_RATE_HZ = 24_000
_SENTENCE_END = re.compile(r"(?<=[.!?;:…])\s+")
_PAUSE_SAMPLES = _KOKORO_RATE_HZ // 4  # between sentences, as kokoro-onnx has it within a batch
_MESSAGE_BYTES = 32_000


def load(config: Mapping[str, object]) -> Callable[[Channel], None]:
    """Load in the template what survives a fork: sessions of one thread on the CPU. Others load in each worker."""
    # espeak-ng's wrapper leaves a copy of the library where temporary files go; the engine removes this folder.
    tempfile.tempdir = str(config["scratch_dir"])
    weights = _source(config)
    registry = ModelRegistry()
    shared = registry.take_blocking(weights) if weights.device == "cpu" and weights.threads == 1 else None

    def ready() -> "Kokoro":
        if shared is None:
            return registry.take_blocking(weights).weights
        # Memory shared with the template is copied where it is written first: better now than in an utterance.
        weights.exercise(shared.weights)
        return shared.weights

    def serve(channel: Channel) -> None:
        try:
            kokoro = ready()
        except WarmlineError as failure:
            channel.send({"failed": str(failure)})
            return
        channel.send({"ready": True})
        _Speaker(kokoro, config).serve(channel)

    return serve


def _source(config: Mapping[str, object]) -> KokoroWeights:
    cache_dir = config["cache_dir"]
    return KokoroWeights(
        model_path=Path(str(config["model_path"])),
        voices_path=Path(str(config["voices_path"])),
        voice=str(config["voice"]),
        language=str(config["language"]),
        device=str(config["device"]),
        threads=int(str(config["threads"])),
        cache=None if cache_dir is None else GraphCache(Path(str(cache_dir))),
    )


class _Speaker:
    def __init__(self, kokoro: "Kokoro", config: Mapping[str, object]) -> None:
        self._kokoro = kokoro
        self._voice = str(config["voice"])
        self._language = str(config["language"])
        self._speed = float(str(config["speed"]))
        self._sample_rate_hz = int(str(config["sample_rate_hz"]))

    def serve(self, channel: Channel) -> None:
        """{"say": text, "id": n} -> PCM messages, then {"done": n, "samples": k} or {"done": n, "error": type}.

        {"cancel": n} ends an utterance between two sentences; it is ignored when that is over.
        """
        while (request := channel.receive()) is not None:
            assert not isinstance(request, bytes), "kokoro is sent text only"
            if "say" not in request:
                continue
            try:
                answer: dict[str, object] = {"samples": self._say(str(request["say"]), channel)}
            except (ValueError, RuntimeError) as failure:
                answer = {"error": type(failure).__name__}  # its message may quote the text
            channel.send({"done": request["id"], **answer})

    def _say(self, text: str, channel: Channel) -> int:
        """Send the PCM of `text` as it is made, until something else comes; returns how many samples were sent."""
        resampler = soxr.ResampleStream(_KOKORO_RATE_HZ, self._sample_rate_hz, 1, dtype="float32")
        sent = 0
        for audio, last in self._pieces(text):
            pcm = _to_pcm(resampler.resample_chunk(audio, last=last))
            for start in range(0, len(pcm), _MESSAGE_BYTES):
                channel.send(pcm[start : start + _MESSAGE_BYTES])
            sent += len(pcm) // 2
            if channel.pending():
                break
        return sent

    def _pieces(self, text: str) -> "Iterator[tuple[Samples, bool]]":
        """Audio of each sentence, and whether it is the last."""
        phonemes = self._kokoro.tokenizer.phonemize(text, self._language)
        sentences = [each for each in _SENTENCE_END.split(phonemes) if each.strip()]
        for number, sentence in enumerate(sentences, 1):
            audio, _ = self._kokoro.create(sentence, self._voice, self._speed, self._language, is_phonemes=True)
            last = number == len(sentences)
            yield (audio if last else np.append(audio, np.zeros(_PAUSE_SAMPLES, audio.dtype))), last


def _to_pcm(samples: "Samples") -> bytes:
    return (np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()
