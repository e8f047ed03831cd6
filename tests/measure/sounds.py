"""Sounds for tests of the ear, made by arithmetic."""

import numpy as np

from warmline.measure import SAMPLE_RATE_HZ, Samples

__all__ = ["babble", "click", "pcm", "silence", "tone"]


def silence(lasts_sec: float) -> Samples:
    """Nothing."""
    return np.zeros(round(lasts_sec * SAMPLE_RATE_HZ), dtype=np.int16)


def babble(lasts_sec: float, *, peak: int = 8000, seed: int = 1) -> Samples:
    """Sound that fills the spectrum as speech does, loud from its first sample to its last."""
    noise = np.random.default_rng(seed).uniform(-1, 1, round(lasts_sec * SAMPLE_RATE_HZ))
    noise[0] = noise[-1] = 1.0
    return (noise * peak).astype(np.int16)


def tone(lasts_sec: float, *, pitch_hz: float = 1000.0, peak: int = 8000) -> Samples:
    """A beep."""
    at_sec = np.arange(round(lasts_sec * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (np.cos(2 * np.pi * pitch_hz * at_sec) * peak).astype(np.int16)


def click() -> Samples:
    """One loud sample."""
    return np.array([20_000], dtype=np.int16)


def pcm(samples: Samples) -> bytes:
    """As it goes over the wire."""
    return samples.astype("<i2").tobytes()
