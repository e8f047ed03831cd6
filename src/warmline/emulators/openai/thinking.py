"""The simulated model: what it answers, how long it reads, and how its tokens come."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

from warmline.emulators.openai.chat_request import ChatRequest
from warmline.emulators.openai.completion import Completion, count_prompt_tokens, tokens_of
from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.pace import Pace
from warmline.emulators.openai.receptionist import decide

__all__ = ["answer_headers", "spoken", "think"]


async def think(chat: ChatRequest, emulation: Emulation, began_sec: float) -> Completion:
    """Decide, and wait until a model would have read what it has not in its prompt cache.

    `began_sec` (monotonic) is when the whole request had come: what the emulator itself takes is the model's time.
    """
    tokens = tokens_of(decide(chat.messages).reply)
    kept = tokens[: chat.max_tokens]
    cache = emulation.prompt_cache
    completion = Completion(
        id=f"chatcmpl-{secrets.token_urlsafe(18)}",
        created=int(time.time()),
        model=chat.model,
        prompt_tokens=count_prompt_tokens(chat.messages),
        cached_tokens=cache.cached_tokens(chat.model, chat.messages) if cache else 0,
        tokens=tuple(kept),
        finish_reason="stop" if len(kept) == len(tokens) else "length",
    )
    read_sec = emulation.pace.prefill_sec(completion.prompt_tokens - completion.cached_tokens)
    await asyncio.sleep(began_sec + read_sec - time.monotonic())
    return completion


async def spoken(completion: Completion, pace: Pace) -> AsyncIterator[str]:
    """The tokens, each when it is due."""
    for place, token in enumerate(completion.tokens):
        if place and pace.token_interval_ms:
            await asyncio.sleep(pace.interval_sec())
        yield token


def answer_headers(began_sec: float) -> dict[str, str]:
    """What OpenAI says of each answer in its headers; `began_sec` is monotonic."""
    return {
        "x-request-id": f"req_{secrets.token_hex(16)}",
        "openai-processing-ms": f"{1000 * (time.monotonic() - began_sec):.0f}",
    }
