"""Where speech begins, and what is no speech."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.measure.sounds import babble, click, silence, tone
from warmline.measure import SAMPLE_RATE_HZ, Voice, audible_span, longest_silence_sec, speech_onset

HUM = (babble(1.0) * 0.01).astype(np.int16)  # 80 of 32768: about -52 dBFS


def test_forty_decibels_below_full_scale_is_the_limit() -> None:
    assert audible_span(np.array([0, 327, -327, 0], dtype=np.int16)) is None
    assert audible_span(np.array([0, 328, 0, -328, 0], dtype=np.int16)) == (1, 3)


def test_the_smallest_sample_is_loud() -> None:
    assert audible_span(np.array([-32768], dtype=np.int16)) == (0, 0)


def test_speech_begins_at_its_first_audible_sample() -> None:
    assert speech_onset(np.concatenate([HUM[:4321], babble(0.3)])) == 4321


def test_what_is_too_short_is_no_speech_yet() -> None:
    assert speech_onset(babble(0.19)) is None
    assert speech_onset(np.concatenate([babble(0.1), silence(1.0)])) is None


@pytest.mark.parametrize("noise", [click(), tone(0.15), tone(0.5), tone(0.4, pitch_hz=440)], ids=str)
def test_a_click_or_a_beep_is_skipped(noise: np.ndarray) -> None:
    sound = np.concatenate([noise, silence(0.2), babble(0.3)])
    assert speech_onset(sound) == len(noise) + len(silence(0.2))


def test_short_pauses_belong_to_speech() -> None:
    word = babble(0.08)
    assert speech_onset(np.concatenate([silence(0.1), *[word, silence(0.02)] * 4])) == len(silence(0.1))


@pytest.mark.parametrize("name", ["slt", "rms", "awb", "espeak"])
@pytest.mark.parametrize("text", ["Yes.", "Oh.", "We are open from nine to five."])
def test_real_voices_are_speech_from_their_first_audible_sample(name: str, text: str) -> None:
    samples = np.concatenate([Voice(name).say(text).samples, silence(0.2)])
    onset, span = speech_onset(samples), audible_span(samples)
    assert onset is not None
    assert span is not None
    # Within 10 ms: a voice's very first sample may be a crackle of one sample that the next window does not go on with.
    assert 0 <= onset - span[0] <= SAMPLE_RATE_HZ // 100


def test_longest_silence_counts_between_audible_samples_only() -> None:
    sound = np.concatenate(
        [silence(2.0), babble(0.1), silence(0.3), babble(0.1), silence(0.1), babble(0.1), silence(3)]
    )
    assert longest_silence_sec(sound) == pytest.approx(0.3, abs=1 / SAMPLE_RATE_HZ)
    assert longest_silence_sec(silence(1.0)) == 0.0


@given(st.lists(st.integers(-32768, 32767), max_size=200), st.integers(0, 8000))
def test_no_sound_breaks_the_ear(head: list[int], zeros: int) -> None:
    sound = np.concatenate([np.array(head, dtype=np.int16), np.zeros(zeros, dtype=np.int16)])
    onset = speech_onset(sound)
    assert onset is None or abs(int(sound[onset])) >= 328
