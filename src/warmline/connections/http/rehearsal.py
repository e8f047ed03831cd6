"""One streamed completion that never leaves the process, so that the first real one meets warm code.

The SDK imports resources on first access, builds its models' validators on first use and looks its platform up for the
first request's headers: tens of milliseconds, and up to 0.4 s in some versions, that no connection saves.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warmline.connections.http.dialect import Dialect

__all__ = ["is_rehearsed", "rehearse"]

_lock = threading.Lock()
_done: set[tuple[str, bool]] = set()

_CHUNK = {
    "id": "rehearsal",
    "object": "chat.completion.chunk",
    "created": 0,
    "model": "rehearsal",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "word"}, "finish_reason": None}],
}
_BODY = f"data: {json.dumps(_CHUNK)}\n\ndata: [DONE]\n\n".encode()


def is_rehearsed(dialect: Dialect, *, synchronous: bool) -> bool:
    """True when this process has done it for such clients."""
    return (dialect.name, synchronous) in _done


def rehearse(dialect: Dialect, *, synchronous: bool) -> None:
    """Do it, once a process and kind of client; in a thread, for it takes a while. A failure is no reason not to start.

    With a client of its own and an invented key: nothing of the user's is called or sent.
    """
    with _lock:
        if is_rehearsed(dialect, synchronous=synchronous):
            return
        sdk = sys.modules["openai"]
        with contextlib.suppress(Exception):
            if synchronous:
                _stream(sdk, dialect)
            else:
                asyncio.run(_stream_async(sdk, dialect))
        _done.add((dialect.name, synchronous))


def _answer(dialect: Dialect) -> Any:
    def answer(_: Any) -> Any:
        return dialect.httpx.Response(200, headers={"content-type": "text/event-stream"}, content=_BODY)

    return dialect.httpx.MockTransport(answer)


_CLIENT: dict[str, Any] = {"api_key": "rehearsal", "base_url": "http://rehearsal.invalid/v1", "max_retries": 0}
_REQUEST: dict[str, Any] = {"model": "rehearsal", "messages": [{"role": "user", "content": "word"}], "stream": True}


def _stream(sdk: Any, dialect: Dialect) -> None:
    with sdk.OpenAI(http_client=dialect.httpx.Client(transport=_answer(dialect)), **_CLIENT) as client:
        for _ in client.chat.completions.create(**_REQUEST):
            pass


async def _stream_async(sdk: Any, dialect: Dialect) -> None:
    async with sdk.AsyncOpenAI(http_client=dialect.httpx.AsyncClient(transport=_answer(dialect)), **_CLIENT) as client:
        async for _ in await client.chat.completions.create(**_REQUEST):
            pass
