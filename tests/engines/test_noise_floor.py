"""The same faint noise under the same audio, whatever pieces it comes in."""

import numpy as np

from warmline.engines.pocketsphinx.noise_floor import NoiseFloor


def test_silence_gets_noise_far_below_any_voice():
    samples = np.frombuffer(NoiseFloor().under(bytes(32_000)), np.int16)
    assert abs(samples.mean()) < 0.1
    assert 2.5 < samples.std() < 3.5


def test_pieces_get_what_the_whole_gets_and_after_a_reset_again():
    floor = NoiseFloor()
    audio = np.arange(10_000, dtype=np.int16).tobytes()
    whole = floor.under(audio)
    floor.reset()
    assert b"".join(floor.under(audio[start : start + 66]) for start in range(0, len(audio), 66)) == whole
    assert floor.under(audio) != whole


def test_the_loudest_samples_stay_in_range():
    loudest = np.tile(np.array([-32_768, 32_767], np.int16), 8_000)
    noisy = np.frombuffer(NoiseFloor().under(loudest.tobytes()), np.int16)
    assert np.abs(noisy.astype(int) - loudest).max() < 20
    assert NoiseFloor().under(b"") == b""
