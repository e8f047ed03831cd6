"""One caller's WebSocket: events and audio leave in one order, and a caller that does not read is let go."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from warmline.agent.wire import check_audio, parse_control
from warmline.clock import Clock
from warmline.errors import ProtocolError

__all__ = ["CallerEnd", "CallerGone", "Line"]

_SEND_TIMEOUT_SEC = 5.0
_CLOSE_TIMEOUT_SEC = 2.0


class CallerGone(Exception):  # noqa: N818 - what happened
    """The caller hung up, vanished, or stopped reading."""


class CallerEnd(Protocol):
    """What a call needs of whoever calls, whatever carries the sound."""

    def post(self, kind: str, **fields: object) -> None:
        """Queue an event; it leaves before any audio sent later."""
        ...

    async def send_audio(self, pcm: bytes) -> None:
        """Send a frame of audio."""
        ...

    async def send_posted(self) -> None:
        """Send events as they are posted, until cancelled."""
        ...

    async def receive(self) -> bytes | Mapping[str, object]:
        """The next audio frame or control message."""
        ...


class Line:
    """Frames in, frames and events out. Made when the call is accepted; `t_ms` counts from there."""

    def __init__(self, websocket: WebSocket, clock: Clock) -> None:
        self._websocket = websocket
        self._clock = clock
        self._accepted_sec = clock.now()
        self._events: deque[str] = deque()
        self._posted = asyncio.Event()
        self._sending = asyncio.Lock()
        self._first = True

    def post(self, kind: str, **fields: object) -> None:
        """Queue an event; it leaves before any audio sent later."""
        t_ms = round((self._clock.now() - self._accepted_sec) * 1000, 1)
        self._events.append(json.dumps({"type": kind, "t_ms": t_ms, **fields}))
        self._posted.set()

    async def send_audio(self, pcm: bytes) -> None:
        """Send a frame of audio, after the events posted before it.

        Raises:
            CallerGone: it can not be delivered.
        """
        async with self._sending:
            await self._send_events()
            await self._send(pcm)

    async def send_posted(self) -> None:
        """Send events as they are posted, until cancelled.

        Raises:
            CallerGone: they can not be delivered.
        """
        while True:
            await self._posted.wait()
            self._posted.clear()
            await self.send_now()

    async def send_now(self) -> None:
        """Send the events posted so far.

        Raises:
            CallerGone: they can not be delivered.
        """
        async with self._sending:
            await self._send_events()

    async def receive(self) -> bytes | Mapping[str, object]:
        """The next audio frame or control message.

        Raises:
            CallerGone: the caller hung up.
            ProtocolError: the caller sent what it may not.
        """
        try:
            message = await self._websocket.receive()
        except (WebSocketDisconnect, RuntimeError) as gone:
            raise CallerGone from gone
        if message["type"] == "websocket.disconnect":
            raise CallerGone
        first, self._first = self._first, False
        if (pcm := message.get("bytes")) is not None:
            return check_audio(pcm)
        return parse_control(message["text"], first=first)

    async def close(self, code: int, reason: str, *, error: bool = True) -> None:
        """Say why, then close. Never raises, and never waits long for a peer that does not answer."""
        if error:
            self.post("error", code=code, reason=reason)
        with contextlib.suppress(CallerGone, TimeoutError, RuntimeError, OSError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_SEC):
                async with self._sending:
                    await self._send_events()
                if self._websocket.application_state != WebSocketState.DISCONNECTED:
                    await self._websocket.close(code, reason[:120])

    async def refuse(self, error: ProtocolError) -> None:
        """Close with the code that answers a broken protocol."""
        await self.close(error.close_code, error.reason)

    async def _send_events(self) -> None:
        while self._events:
            await self._send(self._events.popleft())

    async def _send(self, data: str | bytes) -> None:
        if self._websocket.client_state != WebSocketState.CONNECTED:
            raise CallerGone
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_SEC):
                if isinstance(data, str):
                    await self._websocket.send_text(data)
                else:
                    await self._websocket.send_bytes(data)
        except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError) as gone:
            raise CallerGone from gone
