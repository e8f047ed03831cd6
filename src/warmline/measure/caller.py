"""The caller: one real-time call over a WebSocket, measured at the ear."""

import asyncio
import json
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from warmline.clock import Clock, SystemClock
from warmline.measure.conversation import Conversation
from warmline.measure.plan import CallPlan
from warmline.measure.results import CallResult
from warmline.measure.wire_audio import FRAME_SEC

__all__ = ["Caller"]

_HANG_UP_SEC = 3.0
_RETRY_SEC = 0.005
_STALLED_SEC = 10.0
_NORMAL_CLOSURE = 1000


class Caller:
    """Calls one agent, as often as wished; calls may run at the same time.

    Frames leave every 20 ms, silence included, so that the agent hears a live line. Times are the clock's.
    """

    def __init__(self, url: str, *, ticket: str | None = None, clock: Clock | None = None) -> None:
        self.url = url
        self._ticket = ticket
        self._clock = clock or SystemClock()

    async def call(self, plan: CallPlan, *, called_sec: float | None = None) -> CallResult:
        """Place a call and see it through; what goes wrong on the line is told in the result, never raised.

        `called_sec` is for a server that was started for this call: the moment of its start. The call then begins
        there, and a refused connection is tried again until `connect_timeout_sec` have passed.
        """
        began_sec = self._clock.now() if called_sec is None else called_sec
        try:
            async with asyncio.timeout(plan.connect_timeout_sec):
                socket = await self._connect(patient=called_sec is not None)
        except TimeoutError:
            return _unconnected(self.url, plan, f"no connection within {plan.connect_timeout_sec:g} s")
        except (OSError, InvalidHandshake, InvalidURI, ConnectionClosed, EOFError) as failure:
            return _unconnected(self.url, plan, f"no connection: {failure}")
        conversation = Conversation(plan, began_sec, self._clock.now())
        try:
            late_ms = await self._converse(socket, conversation)
        finally:
            await _hang_up(socket)
        return conversation.result(self.url, close_code=socket.close_code, late_frame_ms=late_ms)

    async def _connect(self, *, patient: bool) -> ClientConnection:
        while True:
            try:
                return await connect(
                    self.url,
                    compression=None,
                    proxy=None,
                    max_size=None,
                    open_timeout=None,
                    close_timeout=_HANG_UP_SEC,
                )
            except ConnectionRefusedError:
                if not patient:
                    raise
                await asyncio.sleep(_RETRY_SEC)

    async def _converse(self, socket: ClientConnection, conversation: Conversation) -> float:
        if self._ticket is not None:
            with suppress(ConnectionClosed):
                await socket.send(json.dumps({"type": "hello", "ticket": self._ticket}))
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(self._hear(socket, conversation))
            late_ms = await self._speak(socket, conversation)
            if conversation.over:
                hearing.cancel()
        return late_ms

    async def _hear(self, socket: ClientConnection, conversation: Conversation) -> None:
        try:
            while True:
                message = await socket.recv()
                conversation.line.received(message, self._clock.now())
        except ConnectionClosed as closed:
            why = conversation.line.refusal or (closed.rcvd.reason if closed.rcvd else "")
            code = closed.rcvd.code if closed.rcvd else "none"
            conversation.fail(f"the agent closed the line with code {code}" + (f": {why}" if why else ""))

    async def _speak(self, socket: ClientConnection, conversation: Conversation) -> float:
        due_sec, late_sec = self._clock.now(), 0.0
        with suppress(ConnectionClosed):
            while not conversation.over:
                due_sec += FRAME_SEC
                await asyncio.sleep(max(0.0, due_sec - self._clock.now()))
                late_sec = max(late_sec, self._clock.now() - due_sec)
                frame = conversation.frame(due_sec)
                if not conversation.over:
                    await self._send(socket, conversation, frame)
        return 1000 * late_sec

    async def _send(self, socket: ClientConnection, conversation: Conversation, frame: bytes) -> None:
        try:
            async with asyncio.timeout(_STALLED_SEC):
                await socket.send(frame)
        except TimeoutError:
            conversation.fail(f"the agent took no audio for {_STALLED_SEC:g} s")


async def _hang_up(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed, TimeoutError):
        async with asyncio.timeout(_HANG_UP_SEC):
            await socket.send(json.dumps({"type": "bye"}))
            await _drain(socket)
    await socket.close(_NORMAL_CLOSURE)


async def _drain(socket: ClientConnection) -> None:
    # What is still on its way is read, so that the agent's close arrives behind it.
    while True:
        await socket.recv()


def _unconnected(url: str, plan: CallPlan, failure: str) -> CallResult:
    return CallResult(url=url, voice=plan.voice, failure=failure)
