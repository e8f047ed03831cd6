"""What a caller can hear: the level that counts as sound, and where in it speech begins.

A sample is audible at -40 dBFS or more. Speech begins in the first 10 ms window with an audible sample from which 14 of
20 windows (200 ms) have one, unless those 200 ms are a tone: a click, a crackle or a beep is no answer.
"""

import numpy as np
import numpy.typing as npt

from warmline.measure.wire_audio import SAMPLE_RATE_HZ, Samples

__all__ = ["AUDIBLE_DBFS", "audible_span", "longest_silence_sec", "speech_onset"]

AUDIBLE_DBFS = -40.0
_AUDIBLE_LEVEL = 32768 * 10 ** (AUDIBLE_DBFS / 20)
_WINDOW = SAMPLE_RATE_HZ // 100
_STRETCH_WINDOWS = 20
_LEAST_AUDIBLE_WINDOWS = 14
_TONE_SHARE = 0.9
_TONE_WIDTH_BINS = 2


def audible_span(samples: Samples) -> tuple[int, int] | None:
    """Indices of the first and the last audible sample, None when nothing is audible."""
    audible = np.flatnonzero(_audible(samples))
    return (int(audible[0]), int(audible[-1])) if audible.size else None


def speech_onset(samples: Samples) -> int | None:
    """Index of the first audible sample of speech, None while there is none (or less than 200 ms of it yet)."""
    audible = _audible_windows(samples)
    if audible.size < _STRETCH_WINDOWS:
        return None
    audible_until = np.concatenate(([0], np.cumsum(audible)))
    in_stretch = audible_until[_STRETCH_WINDOWS:] - audible_until[:-_STRETCH_WINDOWS]
    candidates = audible[: in_stretch.size] & (in_stretch >= _LEAST_AUDIBLE_WINDOWS)
    for window in np.flatnonzero(candidates):
        start = int(window) * _WINDOW
        if not _is_tone(samples[start : start + _STRETCH_WINDOWS * _WINDOW]):
            return start + int(np.argmax(_audible(samples[start : start + _WINDOW])))
    return None


def longest_silence_sec(samples: Samples) -> float:
    """The longest inaudible stretch between the first and the last audible sample."""
    audible = np.flatnonzero(_audible(samples))
    return (int(np.diff(audible).max()) - 1) / SAMPLE_RATE_HZ if audible.size > 1 else 0.0


def _audible(samples: Samples) -> npt.NDArray[np.bool_]:
    # The smallest s16 has no positive counterpart in 16 bits.
    return np.asarray(np.abs(samples.astype(np.int32)) >= _AUDIBLE_LEVEL)


def _audible_windows(samples: Samples) -> npt.NDArray[np.bool_]:
    whole = len(samples) // _WINDOW * _WINDOW
    return np.asarray(_audible(samples[:whole]).reshape(-1, _WINDOW).any(axis=1))


def _is_tone(samples: Samples) -> bool:
    # Speech spreads over the harmonics of a moving pitch; a beep puts its energy in one line.
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    power[0] = 0.0
    peak = int(np.argmax(power))
    line = power[max(0, peak - _TONE_WIDTH_BINS) : peak + _TONE_WIDTH_BINS + 1].sum()
    return bool(line > _TONE_SHARE * power.sum())
