"""Warmline's engines as Pipecat services, and Pipecat's analyzers without their load time.

```python
pipeline = Pipeline(
    [transport.input(), EngineSTTService(ear), user, EngineLLMService(model), EngineTTSService(voice), ...]
)
```
"""

from warmline.adapters.pipecat.analyzers import (
    AnalyzerWeights,
    TurnAnalyzer,
    exercise_silero,
    exercise_smart_turn,
    load_silero,
    load_smart_turn,
)
from warmline.adapters.pipecat.llm import EngineLLMService
from warmline.adapters.pipecat.marks import Mark
from warmline.adapters.pipecat.stt import EngineSTTService
from warmline.adapters.pipecat.tts import EngineTTSService
from warmline.adapters.pipecat.turn_end import HeardTurnStop

__all__ = [
    "AnalyzerWeights",
    "EngineLLMService",
    "EngineSTTService",
    "EngineTTSService",
    "HeardTurnStop",
    "Mark",
    "TurnAnalyzer",
    "exercise_silero",
    "exercise_smart_turn",
    "load_silero",
    "load_smart_turn",
]
