"""What every call takes from: loaded and exercised once, shared by all, or lent by a pool."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warmline.adapters.pipecat import AnalyzerWeights
    from warmline.agent.whole_phrases import WholePhrases
    from warmline.engines import LanguageModel, TextToSpeech, TranscriptStream
    from warmline.pool import WarmableResourcePool
    from warmline.settings import Scenario

__all__ = ["Kit"]


@dataclass(frozen=True, slots=True)
class Kit:
    """The pools, engines and weights of one server.

    `ears` and `voices` lend what is exclusive to a call. `speech` speaks outside of calls. `greeting` and `apology` are
    PCM at the wire's rate, made for `scenario` and `speech`.
    """

    scenario: "Scenario"
    ears: "WarmableResourcePool[TranscriptStream]"
    voices: "WarmableResourcePool[TextToSpeech]"
    speech: "TextToSpeech"
    model: "LanguageModel"
    weights: "AnalyzerWeights"
    greeting: bytes
    apology: bytes
    vad_stop_sec: float
    turn_patience_sec: float
    whole_phrases: "WholePhrases"
