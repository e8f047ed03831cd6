"""An answer in the shapes of OpenAI's chat completions: one object, or chunks of a stream.

Source of the shapes: https://platform.openai.com/docs/api-reference/chat (object, chunk object, streaming).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from warmline.engines import ChatMessage

__all__ = ["STREAM_END", "Completion", "count_prompt_tokens", "tokens_of"]

STREAM_END = b"data: [DONE]\n\n"

_TOKEN = re.compile(r"\s*\w{1,7}|\s*[^\w\s]|\s+")


def tokens_of(text: str) -> list[str]:
    """`text` in pieces of the size of tokens: words with the space before them, long words in two, marks alone."""
    return _TOKEN.findall(text)


def count_prompt_tokens(messages: tuple[ChatMessage, ...]) -> int:
    """About the number of tokens that a model would read: four characters each, and four tokens around a message."""
    return sum(4 + (len(message.content) + 3) // 4 for message in messages)


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer: its identity, its tokens, and why it ends ("stop", or "length" when it was cut).

    `cached_tokens` of the `prompt_tokens` were in the prompt cache.
    """

    id: str
    created: int
    model: str
    prompt_tokens: int
    tokens: tuple[str, ...]
    finish_reason: str
    cached_tokens: int = 0

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.tokens)

    def as_object(self) -> dict[str, object]:
        """The `chat.completion` object of an answer in one piece."""
        message: dict[str, object] = {
            "role": "assistant",
            "content": self.text,
            "refusal": None,
            "annotations": [],
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage()}

    def first_event(self, *, with_usage: bool) -> bytes:
        """The event that names the role."""
        return self._event({"role": "assistant", "content": "", "refusal": None}, None, with_usage=with_usage)

    def token_event(self, token: str, *, with_usage: bool) -> bytes:
        """The event of one token."""
        return self._event({"content": token}, None, with_usage=with_usage)

    def last_events(self, *, with_usage: bool) -> bytes:
        """Why it ends, the usage if it was asked for, and the end of the stream."""
        end = self._event({}, self.finish_reason, with_usage=with_usage)
        usage = {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}
        return end + (_framed(usage) if with_usage else b"") + STREAM_END

    def _event(self, delta: Mapping[str, object], finish_reason: str | None, *, with_usage: bool) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = {**self._head("chat.completion.chunk"), "choices": [choice]}
        # With include_usage, every chunk but the last has a null in place of the usage.
        return _framed({**chunk, "usage": None} if with_usage else chunk)

    def _head(self, kind: str) -> dict[str, object]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": "fp_warmline",
        }

    def _usage(self) -> dict[str, object]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": len(self.tokens),
            "total_tokens": self.prompt_tokens + len(self.tokens),
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def _framed(chunk: Mapping[str, object]) -> bytes:
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"
