"""Whisper's weights as a source for the registry: loaded by faster-whisper, proved at the shapes of a call."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from warmline.engines.required_package import require_package
from warmline.engines.whisper.config import WhisperConfig
from warmline.engines.whisper.transcription import SAMPLE_RATE_HZ, transcribe
from warmline.errors import WarmUpFailed

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

__all__ = ["WhisperWeights", "require_faster_whisper"]

_WARM_UP_TOKENS = 8


def require_faster_whisper(model_path: Path) -> None:
    """Make sure that the model at `model_path` could be loaded, as far as packages go.

    Raises:
        ConfigError: faster-whisper is not installed.
    """
    require_package("faster_whisper", extra="whisper", path=model_path)


@dataclass(frozen=True, slots=True)
class WhisperWeights:
    """A `ModelSource` of `faster_whisper.WhisperModel`. It keeps no state of a call and may be used by any thread."""

    config: WhisperConfig
    name: str = field(default="whisper", compare=False)

    def load(self) -> "WhisperModel":
        """Load the weights. Blocks; never touches the network, since all files are there.

        Raises:
            ConfigError: faster-whisper is not installed.
        """
        require_faster_whisper(self.config.model_path)
        from faster_whisper import WhisperModel

        return WhisperModel(
            str(self.config.model_path),
            device=self.config.device,
            compute_type=self.config.compute_type,
            cpu_threads=self.config.threads,
            num_workers=self.config.parallel,
            local_files_only=True,
        )

    def exercise(self, weights: "WhisperModel") -> None:
        """As many transcriptions at once as calls may want, so that every one of the model's own threads has run.

        Whisper always sees 30 s, however short the utterance: the shapes are those of every later call.

        Raises:
            WarmUpFailed: the encoder gave another shape than Whisper's, or the decoder no token.
        """
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE_HZ).astype(np.float32)
        with ThreadPoolExecutor(self.config.parallel, thread_name_prefix="whisper warm-up") as threads:
            for done in [threads.submit(self._prove, weights, noise) for _ in range(self.config.parallel)]:
                done.result()

    def release(self, weights: "WhisperModel") -> None:
        """Free the memory now, on the GPU as well."""
        weights.model.unload_model()

    def _prove(self, weights: "WhisperModel", noise: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> None:
        window_frames = weights.feature_extractor.nb_max_frames
        features = weights.feature_extractor(noise)
        padded = np.pad(features, ((0, 0), (0, window_frames - features.shape[-1])))
        encoded = weights.encode(padded)
        if len(encoded.shape) != 3 or list(encoded.shape[:2]) != [1, window_frames // 2]:
            raise WarmUpFailed(f"whisper's encoder gave {encoded.shape} for {padded.shape}")
        [result] = weights.model.generate(
            encoded,
            [_prompt(weights, self.config.language)],
            beam_size=self.config.beam_size,
            max_length=_WARM_UP_TOKENS,
            return_scores=True,
        )
        if not result.sequences_ids[0] or not math.isfinite(result.scores[0]):
            raise WarmUpFailed("whisper's decoder gave no token")
        transcribe(weights, self.config, noise, lambda: False)


def _prompt(weights: "WhisperModel", language: str | None) -> list[int]:
    from faster_whisper.tokenizer import Tokenizer

    multilingual = weights.model.is_multilingual
    tokenizer = Tokenizer(weights.hf_tokenizer, multilingual, task="transcribe", language=language or "en")
    return [*tokenizer.sot_sequence, tokenizer.no_timestamps]
