"""The audio of the wire: 16 kHz mono s16le PCM, 20 ms a frame; and how WAV files become it."""

import wave
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

from warmline.errors import ConfigError

__all__ = ["FRAME_BYTES", "FRAME_SEC", "SAMPLE_RATE_HZ", "Samples", "read_wav", "samples_of"]

SAMPLE_RATE_HZ = 16_000
FRAME_SEC = 0.02
FRAME_BYTES = 640
_MAX_WAV_SEC = 120

Samples: TypeAlias = npt.NDArray[np.int16]


def samples_of(pcm: bytes) -> Samples:
    """The samples of s16le PCM; half a sample at the end is dropped."""
    return np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2).astype(np.int16, copy=False)


def read_wav(source: Path | BinaryIO, *, name: str = "") -> Samples:
    """The first channel of a 16 bit WAV file, resampled to 16 kHz.

    Raises:
        ConfigError: it cannot be read, is no 16 bit PCM WAV, or is longer than two minutes.
    """
    label = name or str(source)
    try:
        with wave.open(str(source) if isinstance(source, Path) else source, "rb") as wav:
            return _first_channel(wav, label)
    except (OSError, EOFError, wave.Error) as failure:
        raise ConfigError(f"{label}: no readable WAV file: {failure}") from failure


def _first_channel(wav: wave.Wave_read, label: str) -> Samples:
    if wav.getsampwidth() != 2:
        raise ConfigError(f"{label}: expected 16 bit samples, found {8 * wav.getsampwidth()} bit")
    frames = wav.readframes(_MAX_WAV_SEC * wav.getframerate() + 1)
    samples = samples_of(frames)[:: wav.getnchannels()]
    if len(samples) > _MAX_WAV_SEC * wav.getframerate():
        raise ConfigError(f"{label}: longer than {_MAX_WAV_SEC} s")
    if wav.getframerate() == SAMPLE_RATE_HZ:
        return samples
    resampled: Samples = soxr.resample(samples, wav.getframerate(), SAMPLE_RATE_HZ)
    return resampled
