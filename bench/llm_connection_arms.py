"""The arms: four ways to hold a connection to a language model. Runs in each arm's own environment.

Each arm opens a client as a voice agent would before its first call, asks it, and says after how many milliseconds the
first words of the answer came.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

__all__ = ["ARMS", "Arm", "Client", "Turn", "length_of", "messages_of"]

# How long an agent has between its start and its first call; every arm may use it.
_BEFORE_FIRST_CALL_SEC = 2.5


@dataclass(frozen=True, slots=True)
class Turn:
    """One request. `ending`: read to its end, closed after the first words, or cancelled while they are awaited."""

    system_prompt: str
    ending: Literal["complete", "close", "cancel"] = "complete"
    cancel_after_sec: float = 0.0


class Client(Protocol):
    """A client that is asked."""

    async def ask(self, turn: Turn) -> float:
        """Milliseconds to the first words; for a turn that is cancelled, to its cancellation."""
        ...

    def renew_key(self, key: str) -> None:
        """From now on, this key."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


# Opens a client for an endless conversation with this system prompt and as many calls at once.
Arm = Callable[[str, str, int], Awaitable[Client]]


class _Asked:
    """What all clients share: the clock, and the three endings."""

    async def ask(self, turn: Turn) -> float:
        began_sec = time.perf_counter()
        if turn.ending != "cancel":
            return await self._first_words(turn, began_sec)
        task = asyncio.create_task(self._first_words(turn, began_sec))
        await asyncio.sleep(turn.cancel_after_sec)
        task.cancel()
        await asyncio.wait([task])
        return 1e3 * (time.perf_counter() - began_sec)

    async def _first_words(self, turn: Turn, began_sec: float) -> float:
        first_ms = None
        async with contextlib.aclosing(self._words(turn)) as words:
            async for _ in words:
                if first_ms is None:
                    first_ms = 1e3 * (time.perf_counter() - began_sec)
                if turn.ending == "close":
                    break
        if first_ms is None:
            raise RuntimeError("an answer without words")
        return first_ms

    def _words(self, turn: Turn) -> Any:
        raise NotImplementedError


def messages_of(turn: Turn) -> list[dict[str, str]]:
    """What is asked."""
    return [
        {"role": "system", "content": turn.system_prompt},
        {"role": "user", "content": "what are your opening hours"},
    ]


def length_of(turn: Turn) -> Mapping[str, int]:
    """An answer that is broken off has much more to come; one that is read to its end is short."""
    return {"max_completion_tokens": 4} if turn.ending == "complete" else {}


class SdkClient(_Asked):
    """Any client of the openai SDK."""

    def __init__(self, sdk: Any) -> None:
        self.sdk = sdk

    async def _words(self, turn: Turn) -> AsyncIterator[str]:
        messages = messages_of(turn)
        stream = await self.sdk.chat.completions.create(model="m", messages=messages, stream=True, **length_of(turn))
        async with stream:
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content

    def renew_key(self, key: str) -> None:
        self.sdk.api_key = key

    async def aclose(self) -> None:
        await self.sdk.close()


class FreshClient(_Asked):
    """A new client of the SDK for each request; built before the clock starts, so that its network is all it pays."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._key = "first"

    async def ask(self, turn: Turn) -> float:
        client = SdkClient(_sdk(self._base_url, self._key))
        try:
            return await client.ask(turn)
        finally:
            await client.aclose()

    def renew_key(self, key: str) -> None:
        self._key = key

    async def aclose(self) -> None:
        pass


class LiveKitClient(_Asked):
    """LiveKit's own plugin, from its `chat` on."""

    def __init__(self, model: Any) -> None:
        self._model = model

    async def _words(self, turn: Turn) -> AsyncIterator[str]:
        from livekit.agents import llm

        context = llm.ChatContext.empty()
        for message in messages_of(turn):
            context.add_message(role=message["role"], content=message["content"])
        async with self._model.chat(chat_ctx=context, extra_kwargs=dict(length_of(turn))) as stream:
            async for chunk in stream:
                if chunk.delta and chunk.delta.content:
                    yield chunk.delta.content

    def renew_key(self, key: str) -> None:
        self._model._client.api_key = key

    async def aclose(self) -> None:
        await self._model.aclose()


class WarmClient(SdkClient):
    """A client of the SDK that `warm` has made."""


async def _fresh(base_url: str, system_prompt: str, calls: int) -> Client:
    return FreshClient(base_url)


async def _plain(base_url: str, system_prompt: str, calls: int) -> Client:
    return SdkClient(_sdk(base_url))


async def _livekit(base_url: str, system_prompt: str, calls: int) -> Client:
    from livekit.plugins import openai

    model = openai.LLM(model="m", base_url=base_url, api_key="first")
    model.prewarm()
    await asyncio.sleep(_BEFORE_FIRST_CALL_SEC)
    return LiveKitClient(model)


async def _warmline(base_url: str, system_prompt: str, calls: int) -> Client:
    from warmline.connections.http import WarmSettings, transport_of, warm

    turn = Turn(system_prompt)
    asked: dict[str, Any] = {"model": "m", "messages": messages_of(turn)}
    large = len(system_prompt) > 8192
    sdk = warm(
        _sdk(base_url),
        settings=WarmSettings(floor=max(2, calls)),
        **({"strategy": "completion", "completion": asked} if large else {}),
    )
    if not await transport_of(sdk).wait_warm():
        raise RuntimeError("not warm")
    return WarmClient(sdk)


def _sdk(base_url: str, key: str = "first") -> Any:
    import openai

    return openai.AsyncOpenAI(base_url=base_url, api_key=key)


ARMS: Mapping[str, Arm] = {"fresh": _fresh, "plain": _plain, "livekit": _livekit, "warmline": _warmline}
