"""Which Whisper model hears, and how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from warmline.errors import ConfigError

__all__ = ["WhisperConfig"]

_REQUIRED_FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class WhisperConfig:
    """`model_path`: a folder with a model that was converted for CTranslate2, its `tokenizer.json` included.

    `language`: a code such as "en"; None lets the model guess, which costs a pass. `device` "auto" is CUDA where there
    is one. `compute_type`: as CTranslate2 knows it ("int8", "float16"; "default" is what the weights have).
    `threads`: of one transcription, 0 for CTranslate2's default; `parallel`: transcriptions at once, more wait.
    `beam_size` 1 is the fastest. `max_tokens`: of one window of 30 s. Of an utterance, `max_utterance_sec` are heard.

    Raises:
        ConfigError: a value out of range, or a folder that lacks a file: nothing is ever downloaded.
    """

    model_path: Path
    language: str | None = "en"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = "default"
    threads: int = 0
    parallel: int = 1
    beam_size: int = 1
    max_tokens: int = 128
    max_utterance_sec: float = 60.0

    def __post_init__(self) -> None:
        missing = [name for name in _REQUIRED_FILES if not (self.model_path / name).is_file()]
        if missing:
            raise ConfigError(f"whisper model_path {self.model_path}: lacks {', '.join(missing)}")
        # Whisper's decoder takes 448 tokens, the few of the prompt included.
        for name, low, high in (("threads", 0, 256), ("parallel", 1, 64), ("beam_size", 1, 16), ("max_tokens", 1, 440)):
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"whisper {name}: {low} to {high}, not {getattr(self, name)}")
        if not 0.1 <= self.max_utterance_sec <= 600:
            raise ConfigError(f"whisper max_utterance_sec: 0.1 to 600, not {self.max_utterance_sec}")
