"""`POST /v1/chat/completions`: read, decide, wait as a model would, answer."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from warmline.emulators.openai.api_error import ApiError
from warmline.emulators.openai.chat_request import ChatRequest, parse_chat_request
from warmline.emulators.openai.completion import Completion, count_prompt_tokens, tokens_of
from warmline.emulators.openai.pace import Pace
from warmline.emulators.openai.receptionist import decide

__all__ = ["ChatCompletions"]


class ChatCompletions:
    """The endpoint, with its `pace` and the largest body that it reads."""

    def __init__(self, pace: Pace, max_body_bytes: int) -> None:
        self._pace = pace
        self._max_body_bytes = max_body_bytes

    async def __call__(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ApiError: the request is refused.
        """
        began_sec = time.monotonic()
        chat = parse_chat_request(await self._body(request))
        completion = _complete(chat)
        # As with the real service, not even the headers come before the prompt was read.
        await asyncio.sleep(self._pace.prefill_sec(completion.prompt_tokens))
        if not chat.stream:
            await asyncio.sleep(self._pace.interval_sec() * (len(completion.tokens) - 1))
        headers = {
            "x-request-id": f"req_{secrets.token_hex(16)}",
            "openai-processing-ms": f"{1000 * (time.monotonic() - began_sec):.0f}",
        }
        if not chat.stream:
            return JSONResponse(completion.as_object(), headers=headers)
        events = self._events(completion, with_usage=chat.include_usage)
        headers["cache-control"] = "no-cache"
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > self._max_body_bytes:
                raise ApiError(413, f"Maximum content size limit ({self._max_body_bytes}) exceeded.")
        return bytes(body)

    async def _events(self, completion: Completion, *, with_usage: bool) -> AsyncIterator[bytes]:
        pending = completion.first_event(with_usage=with_usage)
        for place, token in enumerate(completion.tokens):
            if place and self._pace.token_interval_ms:
                await asyncio.sleep(self._pace.interval_sec())
            yield pending + completion.token_event(token, with_usage=with_usage)
            pending = b""
        yield pending + completion.last_events(with_usage=with_usage)


def _complete(chat: ChatRequest) -> Completion:
    tokens = tokens_of(decide(chat.messages).reply)
    kept = tokens[: chat.max_tokens]
    return Completion(
        id=f"chatcmpl-{secrets.token_urlsafe(18)}",
        created=int(time.time()),
        model=chat.model,
        prompt_tokens=count_prompt_tokens(chat.messages),
        tokens=tuple(kept),
        finish_reason="stop" if len(kept) == len(tokens) else "length",
    )
