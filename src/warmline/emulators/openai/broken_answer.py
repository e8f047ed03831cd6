"""Answers that stall or break off, as they are armed as faults."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.faults import Fault
from warmline.emulators.openai.traffic import Connection

__all__ = ["BrokenAnswer"]


class BrokenAnswer:
    """ASGI middleware around POST requests: each part of an answer's body counts as a token."""

    def __init__(self, app: ASGIApp, emulation: Emulation) -> None:
        self._app = app
        self._faults = emulation.faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, to its end or to the fault's."""
        fault = None
        if scope["type"] == "http" and scope["method"] == "POST":
            fault = self._faults.take("stall") or self._faults.take("reset")
        if fault is None:
            return await self._app(scope, receive, send)
        await self._app(scope, receive, _breaking(fault, scope["warmline.connection"], send))


def _breaking(fault: Fault, connection: Connection, send: Send) -> Send:
    tokens = 0

    async def until_it_breaks(message: Message) -> None:
        nonlocal tokens
        if tokens >= fault.value:
            if fault.name == "reset":
                connection.reset()
            await connection.lost.wait()
        tokens += message["type"] == "http.response.body"
        await send(message)

    return until_it_breaks
