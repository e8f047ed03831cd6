"""Voices and WAV files."""

import wave
from pathlib import Path

import numpy as np
import pytest

from tests.measure.sounds import babble, silence
from warmline.errors import ConfigError
from warmline.measure import DEFAULT_CALL, SAMPLE_RATE_HZ, Samples, ScriptTurn, Speaker, Utterance, Voice, read_wav


def wav_file(path: Path, samples: Samples, *, rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(width)
        wav.setframerate(rate_hz)
        wav.writeframes(np.repeat(samples, channels).tobytes())
    return path


@pytest.mark.parametrize("name", ["slt", "rms", "awb", "espeak"])
def test_every_voice_speaks_at_sixteen_kilohertz_and_once_only(name: str) -> None:
    voice = Voice(name)
    utterance = voice.say("what are your opening hours")
    assert 0.8 < utterance.lasts_sec < 3
    assert abs(int(utterance.samples[-1])) >= 328  # cut behind the last audible sample
    assert voice.say("what are your opening hours") is utterance


def test_words_that_look_like_options_are_spoken() -> None:
    assert Voice("espeak").say("-w /nowhere").lasts_sec > 0.2
    assert Voice("slt").say("-o /nowhere").lasts_sec > 0.2


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="apt-get install flite"):
        Voice("slt")
    with pytest.raises(ConfigError, match="apt-get install espeak-ng"):
        Voice("espeak")


def test_an_unknown_voice_is_refused() -> None:
    with pytest.raises(ConfigError, match="no voice 'sinatra'"):
        Voice("sinatra")


def test_a_wav_file_is_played_whatever_the_words(tmp_path: Path) -> None:
    path = wav_file(tmp_path / "hello.wav", babble(0.5))
    assert np.array_equal(Voice(str(path)).say("anything").samples, babble(0.5))


@pytest.mark.parametrize("channels", [1, 2])
def test_other_rates_and_channels_are_converted(tmp_path: Path, channels: int) -> None:
    path = wav_file(tmp_path / "hello.wav", babble(1.0)[:8000], rate_hz=8000, channels=channels)
    assert len(read_wav(path)) == pytest.approx(SAMPLE_RATE_HZ, abs=2)


def test_bad_files_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.wav"):
        read_wav(tmp_path / "missing.wav")
    (tmp_path / "text.wav").write_text("no sound here")
    with pytest.raises(ConfigError, match=r"text\.wav: no readable WAV"):
        read_wav(tmp_path / "text.wav")
    with pytest.raises(ConfigError, match="found 8 bit"):
        read_wav(wav_file(tmp_path / "old.wav", silence(0.1), width=1))
    with pytest.raises(ConfigError, match="longer than 120 s"):
        read_wav(wav_file(tmp_path / "long.wav", silence(121)))
    with pytest.raises(ConfigError, match="nothing audible"):
        Voice(str(wav_file(tmp_path / "quiet.wav", silence(1)))).say("hello")


def test_a_recording_in_a_script_is_used_unless_a_voice_is_asked_for(tmp_path: Path) -> None:
    turn = ScriptTurn(say="hello", wav=wav_file(tmp_path / "hello.wav", babble(0.5)))
    assert np.array_equal(Speaker(None).speak(turn).samples, babble(0.5))
    assert Speaker("slt").speak(turn).samples.size != babble(0.5).size


@pytest.mark.parametrize("voice", [None, "slt", "rms", "awb"])
def test_the_default_call_needs_no_program(monkeypatch: pytest.MonkeyPatch, voice: str | None) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    speaker = Speaker(voice)
    assert {speaker.speak(turn).lasts_sec > 1 for turn in DEFAULT_CALL.turns} == {True}
    with pytest.raises(ConfigError, match="apt-get install flite"):
        speaker.speak(ScriptTurn(say="anything else"))


def test_an_utterance_knows_when_its_last_audible_sample_is_spoken() -> None:
    utterance = Utterance("hello", np.concatenate([silence(0.1), babble(0.25), silence(0.4)]))
    assert utterance.frame_count == 18  # 0.35 s
    assert utterance.audible_after_sec == 0.1
    # The last frame leaves at 5.0 s; it is half filled, so the last sample was spoken 10 ms before.
    assert utterance.ended_sec(5.0) == pytest.approx(4.99)
    assert len(utterance.frame(17)) == 640
    assert utterance.frame(17)[320:] == bytes(320)
