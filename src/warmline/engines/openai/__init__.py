"""Any OpenAI-compatible chat-completions server, Azure OpenAI included, as a language model."""

from warmline.engines.openai.config import OpenAIConfig
from warmline.engines.openai.gate import ModelGate
from warmline.engines.openai.language_model import OpenAILanguageModel
from warmline.engines.openai.trouble import Trouble, TroubleKind

__all__ = ["ModelGate", "OpenAIConfig", "OpenAILanguageModel", "Trouble", "TroubleKind"]
