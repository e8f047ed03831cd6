"""Which Kokoro model speaks, and how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from warmline.errors import ConfigError

__all__ = ["KokoroConfig", "voices_beside"]

_VOICES = ("voices*.bin", "voices*.npz")  # as kokoro-onnx's releases name theirs, and what the format is called


@dataclass(frozen=True, slots=True)
class KokoroConfig:
    """`model_path`: Kokoro's ONNX file; `voices_path`: the file of its voices (NumPy's `.npz` format).

    `voice`: one of them; `language`: as espeak-ng knows it; `speed`: 0.5..2; `sample_rate_hz`: of the audio it yields.
    `parallel`: utterances at once, each in a process of its own; more wait. With one of `threads` on the CPU these
    processes share one copy of the weights; with more, or on CUDA, each has its own. `cache_dir`: where optimised
    graphs are kept between starts; None keeps none.

    Raises:
        ConfigError: a value out of range, or a file that is not there: nothing is ever downloaded.
    """

    model_path: Path
    voices_path: Path
    voice: str = "af_heart"
    language: str = "en-us"
    speed: float = 1.0
    sample_rate_hz: int = 16_000
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1
    parallel: int = 2
    cache_dir: Path | None = None

    def __post_init__(self) -> None:
        for name in ("model_path", "voices_path"):
            if not getattr(self, name).is_file():
                raise ConfigError(f"kokoro {name}: there is no file {getattr(self, name)}")
        if not 0.5 <= self.speed <= 2:
            raise ConfigError(f"kokoro speed: 0.5 to 2, not {self.speed}")
        if not 8_000 <= self.sample_rate_hz <= 48_000:
            raise ConfigError(f"kokoro sample_rate_hz: 8000 to 48000, not {self.sample_rate_hz}")
        for name, high in (("threads", 256), ("parallel", 64)):
            if not 1 <= getattr(self, name) <= high:
                raise ConfigError(f"kokoro {name}: 1 to {high}, not {getattr(self, name)}")


def voices_beside(model_path: Path) -> Path:
    """The file of voices in the model's folder.

    Raises:
        ConfigError: there is none, or more than one.
    """
    found = sorted(path for pattern in _VOICES for path in model_path.parent.glob(pattern))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ConfigError(f"kokoro {model_path}: expected one file {' or '.join(_VOICES)} beside it, found {names}")
    return found[0]
