"""The player without jitter, on virtual arrivals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmline.measure.playout import Playout, heard_audio

FRAME = np.full(320, 1000, dtype=np.int16)


def test_a_frame_is_played_when_it_arrives_or_when_the_one_before_has_ended() -> None:
    playout = Playout()
    starts = [playout.play(FRAME, arrived).start_sec for arrived in (1.0, 1.0, 1.015, 1.2)]
    assert starts == pytest.approx([1.0, 1.02, 1.04, 1.2])
    assert playout.free_sec == pytest.approx(1.22)


def test_a_late_frame_leaves_silence_before_it() -> None:
    playout = Playout()
    began_sec, sound = heard_audio([playout.play(FRAME, arrived) for arrived in (5.0, 5.05)])
    assert began_sec == 5.0
    assert len(sound) == 320 + 480 + 320
    assert not sound[320:800].any()
    assert sound[800] == 1000


def test_a_flush_cuts_what_is_being_played_and_drops_what_is_not() -> None:
    playout = Playout()
    played = [playout.play(FRAME, 0.0) for _ in range(5)]
    playout.flush(0.03)
    assert [len(frame.samples) for frame in played] == [320, 160, 0, 0, 0]
    assert max(frame.end_sec for frame in played) == pytest.approx(0.03)
    assert playout.play(FRAME, 0.035).start_sec == 0.035
    assert len(heard_audio(played)[1]) == 480


def test_a_flush_after_the_end_changes_nothing() -> None:
    playout = Playout()
    frame = playout.play(FRAME, 0.0)
    playout.flush(9.0)
    assert (len(frame.samples), playout.free_sec) == (320, 0.02)


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=60))
def test_nothing_that_was_played_is_lost_or_overlaps(pauses: list[float]) -> None:
    playout, now = Playout(), 10.0
    played = []
    for pause in pauses:
        now += pause
        played.append(playout.play(FRAME, now))
    began_sec, sound = heard_audio(played)
    assert began_sec == played[0].start_sec
    assert int((sound == 1000).sum()) == 320 * len(pauses)
    assert len(sound) / 16_000 == pytest.approx(played[-1].end_sec - began_sec, abs=1e-3)
