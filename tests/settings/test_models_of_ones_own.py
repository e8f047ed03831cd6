"""An ear and a voice from local files: what is missing is said before anything starts."""

import sys

import pytest

from tests.engines.tiny_kokoro import write_tiny_kokoro
from tests.engines.tiny_whisper import write_tiny_whisper
from warmline.cli import main
from warmline.errors import ConfigError
from warmline.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ear": "trumpet"}, "ear: should be 'pocketsphinx' or 'whisper'"),
        ({"voice": "parrot"}, "voice: should be 'espeak' or 'kokoro'"),
        ({"ear": "whisper"}, "ear_model: ear whisper needs it"),
        ({"voice": "kokoro"}, "voice_model: voice kokoro needs it"),
        ({"ear_model": "model"}, "ear_model: only ear whisper has one, and ear is pocketsphinx"),
        ({"voice_model": "model.onnx"}, "voice_model: only voice kokoro has one, and voice is espeak"),
        ({"ear": "whisper", "ear_model": "nowhere"}, "ear_model: whisper model_path nowhere: lacks model.bin"),
        (
            {"voice": "kokoro", "voice_model": "no.onnx"},
            r"voice_model: kokoro no.onnx: expected one file .* found none",
        ),
    ],
)
def test_a_choice_that_can_not_be_served_is_refused(values, message):
    with pytest.raises(ConfigError, match=rf"^{message}"):
        Settings(**values)


def test_the_voices_are_the_one_file_beside_the_model(tmp_path):
    model, voices = write_tiny_kokoro(tmp_path / "kokoro")
    assert Settings(voice="kokoro", voice_model=model).voice_model == model
    voices.with_name("voices-v1.0.bin").write_bytes(voices.read_bytes())
    with pytest.raises(ConfigError, match=r"found voices-v1.0.bin, voices.npz$"):
        Settings(voice="kokoro", voice_model=model)


def test_a_file_names_them_relative_to_itself(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    write_tiny_whisper(folder / "tiny")
    (folder / "mine.toml").write_text('ear = "whisper"\near_model = "tiny"\n')
    assert load_settings(config=folder / "mine.toml").ear_model == folder / "tiny"


@pytest.mark.parametrize(("module", "extra"), [("faster_whisper", "whisper"), ("kokoro_onnx", "kokoro")])
def test_a_package_that_is_not_installed_is_named_with_its_extra_and_the_model(
    tmp_path, monkeypatch, capsys, module, extra
):
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not there
    write_tiny_whisper(tmp_path / "whisper")
    model, _ = write_tiny_kokoro(tmp_path / "kokoro")
    chosen = ["--ear", "whisper", "--ear-model", str(tmp_path / "whisper")]
    if extra == "kokoro":
        chosen = ["--voice", "kokoro", "--voice-model", str(model)]
    assert main(["serve", *chosen]) == 2
    complaint = capsys.readouterr().err
    assert f"{module.replace('_', '-')}, which loads {chosen[-1]}, is not installed" in complaint
    assert f"pip install 'warmline[{extra}]'" in complaint
