"""`POST /v1/responses`, in one piece and as a stream of events.

Source of the shapes: https://platform.openai.com/docs/api-reference/responses and .../responses-streaming.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from warmline.emulators.openai.chat_request import parse_response_request
from warmline.emulators.openai.completion import Completion
from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.models import check_model
from warmline.emulators.openai.request_body import arrived_sec, read_body
from warmline.emulators.openai.thinking import answer_headers, spoken, think

__all__ = ["Responses"]


class Responses:
    """The endpoint of one emulation. Nothing is stored: `previous_response_id` is ignored."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation

    async def __call__(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ApiError: the request is refused.
        """
        chat = parse_response_request(await read_body(request, self._emulation.max_body_bytes))
        began_sec = arrived_sec(request)
        check_model(self._emulation, chat.model)
        completion = await think(chat, self._emulation, began_sec)
        if not chat.stream:
            await asyncio.sleep(self._emulation.pace.interval_sec() * (len(completion.tokens) - 1))
            return JSONResponse(_response(completion, done=True), headers=answer_headers(began_sec))
        return StreamingResponse(
            self._framed(completion), media_type="text/event-stream", headers=answer_headers(began_sec)
        )

    async def _framed(self, completion: Completion) -> AsyncIterator[bytes]:
        number = 0
        async for kind, fields in self._events(completion):
            event = {"type": kind, "sequence_number": number, **fields}
            yield f"event: {kind}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()
            number += 1

    async def _events(self, completion: Completion) -> AsyncIterator[tuple[str, Mapping[str, object]]]:
        begun = {"response": _response(completion, done=False)}
        yield "response.created", begun
        yield "response.in_progress", begun
        item = _item(completion, done=False)
        part = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        yield "response.output_item.added", {"output_index": 0, "item": item}
        yield "response.content_part.added", {**part, "part": _part("")}
        async for token in spoken(completion, self._emulation.pace):
            yield "response.output_text.delta", {**part, "delta": token, "logprobs": []}
        yield "response.output_text.done", {**part, "text": completion.text, "logprobs": []}
        yield "response.content_part.done", {**part, "part": _part(completion.text)}
        yield "response.output_item.done", {"output_index": 0, "item": _item(completion, done=True)}
        end = "completed" if completion.finish_reason == "stop" else "incomplete"
        yield f"response.{end}", {"response": _response(completion, done=True)}


def _response(completion: Completion, *, done: bool) -> dict[str, object]:
    cut = done and completion.finish_reason == "length"
    return {
        "id": _named("resp", completion),
        "object": "response",
        "created_at": completion.created,
        "status": "incomplete" if cut else "completed" if done else "in_progress",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": None,
        "metadata": {},
        "model": completion.model,
        "output": [_item(completion, done=True)] if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": _usage(completion) if done else None,
    }


def _item(completion: Completion, *, done: bool) -> dict[str, object]:
    return {
        "id": _named("msg", completion),
        "type": "message",
        "status": "completed" if done else "in_progress",
        "role": "assistant",
        "content": [_part(completion.text)] if done else [],
    }


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _named(kind: str, completion: Completion) -> str:
    return f"{kind}_{completion.id.partition('-')[2]}"


def _usage(completion: Completion) -> dict[str, object]:
    return {
        "input_tokens": completion.prompt_tokens,
        "input_tokens_details": {"cached_tokens": completion.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": len(completion.tokens),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": completion.prompt_tokens + len(completion.tokens),
    }
