"""Kokoro's weights as a source for the registry: a session through the graph cache, and the voices."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kokoro_onnx import Kokoro

from warmline.errors import WarmUpFailed
from warmline.models import GraphCache, OnnxModel, OnnxOptions

__all__ = ["KokoroWeights"]

_WARM_UP_TEXTS = ("Hello.", "Good morning, you are through to the restaurant; how many of you will there be?")
_PROVIDERS = {"cpu": ("CPUExecutionProvider",), "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider")}


@dataclass(frozen=True, slots=True)
class KokoroWeights:
    """A `ModelSource` of `kokoro_onnx.Kokoro`: a session, voices, espeak-ng's phonemes. Read-only, for any thread."""

    model_path: Path
    voices_path: Path
    voice: str
    language: str
    device: str = "cpu"
    threads: int = 1
    cache: GraphCache | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.model_path.name

    def load(self) -> Kokoro:
        """Load the session and the voices. Blocks.

        Raises:
            ModelError: CUDA was asked for and could not be had.
            Exception: the files are no Kokoro model and voices.
        """
        session = self._session_source().load()
        # A session from a cached graph has no path, and kokoro-onnx insists on one: that of the model it stands for.
        session._model_path = str(self.model_path)
        kokoro: Kokoro = Kokoro.from_session(session, str(self.voices_path))
        _read_voices(kokoro)
        return kokoro

    def exercise(self, weights: Kokoro) -> None:
        """A short and a usual sentence, in the voice that calls will hear.

        Raises:
            WarmUpFailed: there is no such voice, or it gave no audio.
        """
        if self.voice not in weights.voices:
            raise WarmUpFailed(f"{self.voices_path.name} has no voice {self.voice!r}")
        for text in _WARM_UP_TEXTS:
            audio, _ = weights.create(text, self.voice, lang=self.language)
            if audio.ndim != 1 or audio.size == 0 or not abs(audio).max() > 0:
                raise WarmUpFailed(f"{self.name} gave no audio")

    def release(self, weights: Kokoro) -> None:
        """The memory goes with the last reference."""

    def _session_source(self) -> OnnxModel:
        options = OnnxOptions(threads=self.threads, providers=_PROVIDERS[self.device])
        return OnnxModel(self.model_path, options, cache=self.cache)


def _read_voices(kokoro: Any) -> None:
    # Forked processes share the place in an open file, and would read each other's pieces of it.
    with kokoro.voices as lazy:
        kokoro.voices = dict(lazy)
