"""The arms of aiohttp: a session as it comes, and one that `warm` has made. Runs in each arm's own environment."""

import json
from collections.abc import AsyncIterator
from typing import Any

from llm_connection_asking import Asked, Client, Turn, length_of, messages_of

__all__ = ["plain_session", "warm_session"]


class SessionClient(Asked):
    """Requests by hand over one session; `others` are closed with it."""

    def __init__(self, base_url: str, session: Any, *others: Any) -> None:
        self._url = f"{base_url}/chat/completions"
        self._sessions = (session, *others)
        self._key = "first"

    async def _words(self, turn: Turn) -> AsyncIterator[str]:
        asked = {"model": "m", "messages": messages_of(turn), "stream": True, **length_of(turn)}
        headers = {"authorization": f"Bearer {self._key}"}
        async with self._sessions[0].post(self._url, json=asked, headers=headers) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        if words := choice["delta"].get("content"):
                            yield words

    def renew_key(self, key: str) -> None:
        """From the next request on."""
        self._key = key

    async def aclose(self) -> None:
        """Close the sessions."""
        for session in self._sessions:
            await session.close()


async def plain_session(base_url: str, system_prompt: str, calls: int) -> Client:
    """A session as it comes."""
    import aiohttp

    return SessionClient(base_url, aiohttp.ClientSession())


async def warm_session(base_url: str, system_prompt: str, calls: int) -> Client:
    """A session that is warm."""
    import aiohttp

    from warmline.connections.http import WarmSettings, transport_of, warm

    settings = WarmSettings(floor=max(2, calls), repeat_generations=True)
    original = aiohttp.ClientSession()
    session = warm(original, url=f"{base_url}/models", settings=settings)
    if not await transport_of(session).wait_warm():
        raise RuntimeError("not warm")
    return SessionClient(base_url, session, original)
