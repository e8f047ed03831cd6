"""A provider's prompt cache: what of a prompt was read before, and need not be read again.

Source: https://platform.openai.com/docs/guides/prompt-caching (from 1,024 tokens, in steps of 128, the exact prefix,
kept for 5 to 10 minutes of disuse).
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from warmline.engines import ChatMessage

__all__ = ["PromptCache"]

_LEAST_TOKENS, _STEP_TOKENS = 1024, 128
_TOKEN_CHARS = 4
_KEPT_PREFIXES = 4096


class PromptCache:
    """Remembers the prefixes of prompts for `idle_sec` after their last use. `now` is monotonic, in seconds."""

    def __init__(self, idle_sec: float = 300.0, now: Callable[[], float] = time.monotonic) -> None:
        self._idle_sec = idle_sec
        self._now = now
        self._used_sec: OrderedDict[bytes, float] = OrderedDict()

    def cached_tokens(self, model: str, messages: Sequence[ChatMessage]) -> int:
        """How many tokens of this prompt were in the cache; all of its prefixes are from now on."""
        now, cached, whole = self._now(), 0, True
        for number, prefix in enumerate(_prefixes(model, messages), 1):
            used_sec = self._used_sec.get(prefix)
            whole = whole and used_sec is not None and now - used_sec <= self._idle_sec
            cached = number * _STEP_TOKENS if whole else cached
            self._used_sec[prefix] = now
            self._used_sec.move_to_end(prefix)
        while len(self._used_sec) > _KEPT_PREFIXES:
            self._used_sec.popitem(last=False)
        return cached if cached >= _LEAST_TOKENS else 0


def _prefixes(model: str, messages: Sequence[ChatMessage]) -> list[bytes]:
    """A digest for each whole step of the prompt; each covers all that comes before it."""
    text = "".join(f"{message.role}\n{message.content}\n" for message in messages)
    step = _STEP_TOKENS * _TOKEN_CHARS
    digest = hashlib.blake2b(model.encode(), digest_size=16)
    found = []
    for start in range(0, len(text) - step + 1, step):
        digest.update(text[start : start + step].encode())
        found.append(digest.copy().digest())
    return found
