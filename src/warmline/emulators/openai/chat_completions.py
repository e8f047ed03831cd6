"""`POST /v1/chat/completions`, and Azure's forms of it: read, decide, wait as a model would, answer."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from warmline.emulators.openai.chat_request import parse_chat_request
from warmline.emulators.openai.completion import Completion
from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.models import check_model
from warmline.emulators.openai.request_body import arrived_sec, read_body
from warmline.emulators.openai.thinking import answer_headers, spoken, think

__all__ = ["ChatCompletions"]


class ChatCompletions:
    """The endpoint of one emulation. In a path with a deployment, that is the model."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation

    async def __call__(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ApiError: the request is refused.
        """
        body = await read_body(request, self._emulation.max_body_bytes)
        began_sec = arrived_sec(request)
        deployment = request.path_params.get("deployment")
        chat = parse_chat_request(body, deployment)
        if deployment is None:
            check_model(self._emulation, chat.model)
        pace = self._emulation.pace
        # As with the real service, not even the headers come before the prompt was read.
        completion = await think(chat, self._emulation, began_sec)
        if not chat.stream:
            await asyncio.sleep(pace.interval_sec() * (len(completion.tokens) - 1))
            return JSONResponse(completion.as_object(), headers=answer_headers(began_sec))
        headers = {**answer_headers(began_sec), "cache-control": "no-cache"}
        events = self._events(completion, with_usage=chat.include_usage)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _events(self, completion: Completion, *, with_usage: bool) -> AsyncIterator[bytes]:
        pending = completion.first_event(with_usage=with_usage)
        async for token in spoken(completion, self._emulation.pace):
            yield pending + completion.token_event(token, with_usage=with_usage)
            pending = b""
        yield pending + completion.last_events(with_usage=with_usage)
