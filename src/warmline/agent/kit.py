"""What every call takes from: loaded and exercised once, shared by all."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warmline.adapters.pipecat import AnalyzerWeights
    from warmline.engines import LanguageModel, SpeechToText, TextToSpeech
    from warmline.settings import Scenario

__all__ = ["Kit"]


@dataclass(frozen=True, slots=True)
class Kit:
    """The engines and weights of one server. `greeting` is PCM at the wire's rate, made for `scenario` and `voice`."""

    scenario: "Scenario"
    ear: "SpeechToText"
    voice: "TextToSpeech"
    model: "LanguageModel"
    weights: "AnalyzerWeights"
    greeting: bytes
    vad_stop_sec: float
    turn_patience_sec: float
