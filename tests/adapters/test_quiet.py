import numpy as np

from warmline.adapters.pipecat.quiet import QuietWatch


def frame(amplitude):
    return np.full(320, amplitude, np.int16).tobytes()


def heard(watch, *amplitudes):
    return [watch.hear(frame(amplitude)) for amplitude in amplitudes]


def test_it_speaks_up_once_after_a_tenth_of_a_second_of_quiet():
    watch = QuietWatch(16_000)
    assert not any(heard(watch, 5000, 6000, 5000))
    assert heard(watch, 10, 10, 10, 10, 10, 10) == [False, False, False, False, True, False]
    assert watch.quiet


def test_a_pause_inside_a_word_is_too_short():
    watch = QuietWatch(16_000)
    assert not any(heard(watch, 5000, 10, 10, 10, 10, 5000, 10, 10, 10, 10, 5000))
    assert not watch.quiet


def test_speech_after_it_takes_it_back():
    watch = QuietWatch(16_000)
    heard(watch, 5000, *[10] * 5)
    heard(watch, 5000)
    assert not watch.quiet


def test_a_steady_noise_far_below_the_voice_counts_as_quiet():
    watch = QuietWatch(16_000)
    assert any(heard(watch, 8000, *[400] * 6))


def test_a_reset_forgets_the_loudness():
    watch = QuietWatch(16_000)
    heard(watch, 30_000, *[10] * 5)
    watch.reset()
    assert not any(heard(watch, *[1500] * 10))
