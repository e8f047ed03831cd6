"""`/v1/realtime` over a WebSocket: sessions, their settings, and answers in text. No audio.

Source of the events: https://platform.openai.com/docs/api-reference/realtime-server-events. Pings are answered by the
WebSocket library.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from warmline.emulators.openai.api_error import ApiError
from warmline.emulators.openai.chat_request import ChatRequest, content_of
from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.thinking import spoken, think
from warmline.engines import ChatMessage

__all__ = ["Realtime"]


class Realtime:
    """The endpoint of one emulation."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation

    async def __call__(self, socket: WebSocket) -> None:
        """Serve one session, until the client leaves or the session is as old as it may be."""
        await socket.accept()
        query = socket.query_params
        session = _Session(socket, query.get("model") or query.get("deployment") or "receptionist", self._emulation)
        try:
            async with asyncio.timeout(self._emulation.realtime_limit_sec):
                await session.run()
        except TimeoutError:
            await session.refuse(ApiError(400, "Your session hit its maximum duration.", code="session_expired"))
            with suppress(RuntimeError):
                await socket.close(1001)
        except WebSocketDisconnect:
            pass


class _Session:
    """One session: its settings and what was said in it."""

    def __init__(self, socket: WebSocket, model: str, emulation: Emulation) -> None:
        self._socket = socket
        self._model = model
        self._emulation = emulation
        self._messages: list[ChatMessage] = []
        self._settings: dict[str, object] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": f"sess_{secrets.token_hex(12)}",
            "model": model,
            "output_modalities": ["text"],
            "instructions": "",
            "tools": [],
        }

    async def run(self) -> None:
        await self._send("session.created", session=self._settings)
        while True:
            try:
                await self._take(_event(await self._socket.receive_text()))
            except ApiError as error:
                await self.refuse(error)

    async def refuse(self, error: ApiError) -> None:
        await self._send("error", error=error.as_object())

    async def _take(self, event: Mapping[str, object]) -> None:
        match event:
            case {"type": "session.update", "session": dict(settings)}:
                self._settings |= settings
                await self._send("session.updated", session=self._settings)
            case {"type": "conversation.item.create", "item": dict(item)}:
                self._messages.append(_message(item))
                named = {
                    "id": f"item_{secrets.token_hex(12)}",
                    "object": "realtime.item",
                    "status": "completed",
                    **item,
                }
                await self._send("conversation.item.added", previous_item_id=None, item=named)
                await self._send("conversation.item.done", previous_item_id=None, item=named)
            case {"type": "response.create"}:
                await self._answer()
            case {"type": str(kind)}:
                raise ApiError(400, f"Invalid event: {kind}.", code="invalid_value")
            case _:
                raise ApiError(400, "Missing required parameter: 'type'.", code="missing_required_parameter")

    async def _answer(self) -> None:
        response = {"id": f"resp_{secrets.token_hex(12)}", "object": "realtime.response", "output": []}
        await self._send("response.created", response={**response, "status": "in_progress"})
        instructions = ChatMessage("system", str(self._settings["instructions"]))
        asked = ChatRequest(self._model, (instructions, *self._messages), stream=True)
        completion = await think(asked, self._emulation, time.monotonic())
        item = f"item_{secrets.token_hex(12)}"
        place = {"response_id": response["id"], "item_id": item, "output_index": 0, "content_index": 0}
        async for token in spoken(completion, self._emulation.pace):
            await self._send("response.output_text.delta", **place, delta=token)
        await self._send("response.output_text.done", **place, text=completion.text)
        self._messages.append(ChatMessage("assistant", completion.text))
        content = [{"type": "output_text", "text": completion.text}]
        said = {"id": item, "type": "message", "role": "assistant", "status": "completed", "content": content}
        await self._send("response.done", response={**response, "status": "completed", "output": [said]})

    async def _send(self, kind: str, **fields: object) -> None:
        await self._socket.send_text(json.dumps({"type": kind, "event_id": f"event_{secrets.token_hex(12)}", **fields}))


def _event(text: str) -> Mapping[str, object]:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "We could not parse the JSON of your event.") from error
    return event if isinstance(event, dict) else {}


def _message(item: Mapping[str, object]) -> ChatMessage:
    role = item.get("role")
    if role not in ("user", "assistant", "system"):
        raise ApiError(400, "Invalid value for 'item.role'.", param="item.role", code="invalid_value")
    return ChatMessage(role, content_of(item.get("content"), role, "item.content"))
