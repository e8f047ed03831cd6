"""Silero and smart-turn weights loaded once, with a fresh analyzer for every call.

An analyzer holds one caller's state (buffers, recurrent state): sharing it corrupts calls. The ONNX session behind it
is read-only and safe to share, and it is what takes the time to load.
"""

import asyncio
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime
from pipecat.audio.turn.base_turn_analyzer import EndOfTurnState
from pipecat.audio.turn.smart_turn.base_smart_turn import BaseSmartTurn, SmartTurnParams
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroOnnxModel, SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADAnalyzer, VADParams
from pipecat.metrics.metrics import MetricsData

from warmline.errors import WarmUpFailed
from warmline.models import GraphCache, ModelRegistry, OnnxModel

__all__ = [
    "AnalyzerWeights",
    "TurnAnalyzer",
    "exercise_silero",
    "exercise_smart_turn",
    "load_silero",
    "load_smart_turn",
]

_SAMPLE_RATE_HZ = 16_000
_SILERO_WINDOW_SAMPLES = 512
_PRE_SPEECH_KEPT_SEC = 2.0


@dataclass(frozen=True, slots=True)
class AnalyzerWeights:
    """The two loaded models. Build analyzers from it for each call; it may be used from any thread."""

    silero: onnxruntime.InferenceSession
    smart_turn: onnxruntime.InferenceSession

    @classmethod
    def load(cls, registry: ModelRegistry | None = None, graphs: GraphCache | None = None) -> Self:
        """Load both from Pipecat's wheel, unless `registry` has them. Blocks (about 100 ms): call it off the loop.

        `graphs` is where their optimised graphs are kept between starts; without it, they are optimised every time.

        Raises:
            ModelError: a model did not load.
        """
        registry = registry or ModelRegistry()
        return cls(silero=load_silero(registry, graphs), smart_turn=load_smart_turn(registry, graphs))

    def exercise(self) -> None:
        """First inferences of both, at the shapes of a call. Blocks.

        Raises:
            WarmUpFailed: a model gave no label.
        """
        exercise_silero(self.silero)
        exercise_smart_turn(self.smart_turn)

    def vad(self, params: VADParams) -> VADAnalyzer:
        """A voice activity analyzer for one call."""
        return _SharedSileroAnalyzer(self.silero, params)

    def turn(self, params: SmartTurnParams) -> "TurnAnalyzer":
        """An end-of-turn analyzer for one call."""
        return TurnAnalyzer(self.smart_turn, params)


def load_silero(registry: ModelRegistry, graphs: GraphCache | None = None) -> onnxruntime.InferenceSession:
    """The voice activity model. Blocks, without holding the GIL for long.

    Raises:
        ModelError: it did not load.
    """
    return _session("pipecat.audio.vad.data", "silero_vad.onnx", registry, graphs)


def load_smart_turn(registry: ModelRegistry, graphs: GraphCache | None = None) -> onnxruntime.InferenceSession:
    """The end-of-turn model. Blocks, without holding the GIL for long.

    Raises:
        ModelError: it did not load.
    """
    return _session("pipecat.audio.turn.smart_turn.data", "smart-turn-v3.2-cpu.onnx", registry, graphs)


def exercise_silero(session: onnxruntime.InferenceSession) -> float:
    """The first inference, at the shapes of a call, on state that is thrown away. Blocks; returns the confidence.

    Raises:
        WarmUpFailed: the model gave no label.
    """
    return _label(_SharedSilero(session)(_noise()[:_SILERO_WINDOW_SAMPLES], _SAMPLE_RATE_HZ).item())


def exercise_smart_turn(session: onnxruntime.InferenceSession) -> float:
    """The same for the end-of-turn model.

    Raises:
        WarmUpFailed: the model gave no label.
    """
    return _label(TurnAnalyzer(session, SmartTurnParams())._predict_endpoint(_noise())["probability"])


def _noise() -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.random.default_rng(0).normal(0, 0.01, _SAMPLE_RATE_HZ).astype(np.float32)


def _label(probability: float) -> float:
    if not 0 <= probability <= 1:
        raise WarmUpFailed("the model gave no label")
    return float(probability)


def _session(
    package: str, file: str, registry: ModelRegistry, graphs: GraphCache | None
) -> onnxruntime.InferenceSession:
    with resources.as_file(resources.files(package) / file) as path:
        # Never released: the weights are needed for as long as calls are taken.
        return registry.take_blocking(OnnxModel(Path(path), cache=graphs)).weights


class _SharedSilero(SileroOnnxModel):
    """Silero's per-call state around weights that are already loaded."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session
        self.sample_rates = [8000, 16000]
        self.reset_states()


class _SharedSileroAnalyzer(SileroVADAnalyzer):
    def __init__(self, session: onnxruntime.InferenceSession, params: VADParams) -> None:
        VADAnalyzer.__init__(self, params=params)
        self._model = _SharedSilero(session)
        self._windows_since_reset = 0
        self._low_confidence_windows = 0


class TurnAnalyzer(LocalSmartTurnAnalyzerV3):
    """Smart-turn around weights that are already loaded."""

    def __init__(self, session: onnxruntime.InferenceSession, params: SmartTurnParams) -> None:
        BaseSmartTurn.__init__(self, params=params)
        self._log_data = False
        self._session = session

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        """Keep what the model may want of it: between utterances, only what may turn out to be a first sound."""
        state = super().append_audio(buffer, is_speech)
        while not self._speech_triggered and self._audio_buffer:
            if self._audio_buffer[0][0] >= time.monotonic() - _PRE_SPEECH_KEPT_SEC:
                break
            self._audio_buffer.pop(0)
        return state

    async def look(self, *, silence_ahead_ms: float = 0.0) -> tuple[EndOfTurnState, MetricsData | None]:
        """Judge what was heard so far without forgetting any of it: the caller may well speak on.

        With `silence_ahead_ms`, as it will judge when the caller has been silent for so much longer. The model wants
        to hear silence: of sentences that are complete, it says so of one half after 0.1 s of it, of two thirds after
        0.2 s.
        """
        silence = np.zeros(int(silence_ahead_ms * self._sample_rate / 1000), np.int16)
        heard = [*self._audio_buffer, (time.monotonic(), silence)]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._model_executor, self._process_speech_segment, heard)
