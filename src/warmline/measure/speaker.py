"""From a line of a script to sound."""

from warmline.measure.default_call import recorded_utterance
from warmline.measure.script import ScriptTurn
from warmline.measure.utterance import Utterance
from warmline.measure.voices import FLITE_VOICES, Voice
from warmline.measure.wire_audio import read_wav

__all__ = ["Speaker"]


class Speaker:
    """Speaks the turns of scripts with one voice; each sentence is synthesized once.

    `voice` is what `Voice` takes. Without one, a turn's own recording is used where it has one, else slt. No program is
    needed for what was recorded before.

    Raises:
        ConfigError: as `Voice`.
    """

    def __init__(self, voice: str | None) -> None:
        self.voice: str = voice or FLITE_VOICES[0]
        self._chosen = voice is not None
        self._synthesizer: Voice | None = None

    def speak(self, turn: ScriptTurn) -> Utterance:
        """The turn as speech.

        Raises:
            ConfigError: no such voice, its program is missing or failed, or a file is no usable WAV.
        """
        if turn.wav is not None and not self._chosen:
            return Utterance(turn.say, read_wav(turn.wav))
        if (recorded := recorded_utterance(turn.say, self.voice)) is not None:
            return recorded
        if self._synthesizer is None:
            self._synthesizer = Voice(self.voice)
        return self._synthesizer.say(turn.say)
