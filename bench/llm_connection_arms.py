"""The arms: ways to hold a connection to a language model. Runs in each arm's own environment.

Each arm opens a client as a voice agent would before its first call, asks it, and says after how many milliseconds the
first words of the answer came.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from llm_connection_aiohttp import plain_session, warm_session
from llm_connection_asking import Arm, Asked, Client, Turn, length_of, messages_of

__all__ = ["ARMS"]

# How long an agent has between its start and its first call; every arm may use it.
_BEFORE_FIRST_CALL_SEC = 1.5


class SdkClient(Asked):
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


class FreshClient(Asked):
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


class LiveKitClient(Asked):
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
        strategy="completion" if large else "models",
        completion=asked if large else None,
    )
    if not await transport_of(sdk).wait_warm():
        raise RuntimeError("not warm")
    return WarmClient(sdk)


def _sdk(base_url: str, key: str = "first") -> Any:
    import openai

    return openai.AsyncOpenAI(base_url=base_url, api_key=key)


ARMS: Mapping[str, Arm] = {
    "fresh": _fresh,
    "plain": _plain,
    "livekit": _livekit,
    "warmline": _warmline,
    "aiohttp": plain_session,
    "aiohttp-warmline": warm_session,
}
