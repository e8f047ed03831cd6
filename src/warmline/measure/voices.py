"""Voices for the caller: flite (CMU ARCTIC: slt, rms, awb), espeak-ng, or a WAV file."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from warmline.errors import ConfigError
from warmline.measure.utterance import Utterance
from warmline.measure.wire_audio import Samples, read_wav

__all__ = ["FLITE_VOICES", "Voice"]

FLITE_VOICES = ("slt", "rms", "awb")
_SYNTHESIS_TIMEOUT_SEC = 60


class Voice:
    """Speaks sentences, each synthesized once. `name` is slt, rms, awb, espeak, or the path of a WAV file.

    A WAV file is played as it is, whatever the sentence; the sentence then only says what is in it.

    Raises:
        ConfigError: there is no such voice, or its program is not installed (the message names the Debian package).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._spoken: dict[str, Utterance] = {}
        self._command: list[str] | None = None
        if name in FLITE_VOICES:
            self._command = [_program("flite", package="flite"), "-voice", name, "-f", "/dev/stdin", "-o"]
        elif name == "espeak":
            self._command = [_program("espeak-ng", package="espeak-ng"), "-v", "en-us", "--stdin", "-w"]
        elif Path(name).suffix.lower() != ".wav":
            raise ConfigError(f"no voice {name!r}: expected {', '.join(FLITE_VOICES)}, espeak, or a .wav file")

    def say(self, text: str) -> Utterance:
        """The sentence as speech.

        Raises:
            ConfigError: the synthesis failed or is not audible, or the file is no usable WAV.
        """
        if text not in self._spoken:
            self._spoken[text] = Utterance(text, self._synthesize(text))
        return self._spoken[text]

    def _synthesize(self, text: str) -> Samples:
        if self._command is None:
            return read_wav(Path(self.name))
        # Both programs write a truthful WAV header only to a file that they can seek in.
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder, "speech.wav")
            _run([*self._command, str(wav)], text)
            return read_wav(wav, name=self._command[0])


def _program(name: str, *, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise ConfigError(f"{name} is not installed: apt-get install {package}, or give a .wav file as voice")
    return path


def _run(command: list[str], text: str) -> None:
    try:
        subprocess.run(command, input=text.encode(), capture_output=True, timeout=_SYNTHESIS_TIMEOUT_SEC, check=True)
    except (OSError, subprocess.SubprocessError) as failure:
        raise ConfigError(f"{Path(command[0]).name} could not speak: {failure}") from failure
