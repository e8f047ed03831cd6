"""What the caller says when it was told nothing: one question five times, so that turn 1 compares with the others."""

from importlib.resources import as_file, files

from warmline.measure.script import CallScript, ScriptTurn
from warmline.measure.utterance import Utterance
from warmline.measure.voices import FLITE_VOICES
from warmline.measure.wire_audio import read_wav

__all__ = ["DEFAULT_CALL", "recorded_utterance"]

_TEXT = "What are your opening hours?"
_TURN = ScriptTurn(say=_TEXT, intent="opening_hours")

DEFAULT_CALL = CallScript("The same question five times", (_TURN,) * 5)


def recorded_utterance(text: str, voice: str) -> Utterance | None:
    """The shipped recording of `text` by `voice` (slt, rms or awb), None when there is none."""
    if text != _TEXT or voice not in FLITE_VOICES:
        return None
    with as_file(files("warmline.measure").joinpath("spoken", f"opening_hours_{voice}.wav")) as path:
        return Utterance(text, read_wav(path))
