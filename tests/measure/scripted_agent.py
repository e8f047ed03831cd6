"""An agent over real sockets that follows the wire protocol, or breaks it where a test wants it to."""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.measure.sounds import pcm
from warmline.measure import Samples

__all__ = ["AgentEnd", "agent"]

_FRAME_BYTES = 640


class HungUp(Exception):
    """The caller said goodbye."""


class AgentEnd:
    """The agent's end of one call."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.audio_frames: list[bytes] = []

    async def event(self, kind: str, **fields: object) -> None:
        """Send an event."""
        await self.socket.send(json.dumps({"type": kind, "t_ms": 0, **fields}))

    async def say(self, turn: int, samples: Samples, *, sha256: str | None = None, extra_samples: int = 0) -> None:
        """A whole answer, at once."""
        await self.event("bot_started", turn=turn)
        padded = pcm(samples) + bytes(-len(samples) * 2 % _FRAME_BYTES)
        for start in range(0, len(padded), _FRAME_BYTES):
            await self.socket.send(padded[start : start + _FRAME_BYTES])
        await self.stop(turn, padded, sha256=sha256, extra_samples=extra_samples)

    async def stop(
        self, turn: int, sent: bytes, *, sha256: str | None = None, extra_samples: int = 0, interrupted: bool = False
    ) -> None:
        """The end of an answer."""
        await self.event(
            "bot_stopped",
            turn=turn,
            samples=len(sent) // 2 + extra_samples,
            sha256=sha256 or hashlib.sha256(sent).hexdigest(),
            interrupted=interrupted,
        )
        await self.event("turn", turn=turn, stages={"first_audio_sent": 1.0}, interrupted=interrupted)

    async def hear_frame(self) -> np.ndarray:
        """The next audio frame; events are kept, and goodbye ends the call."""
        while isinstance(message := await self.socket.recv(), str):
            self.events.append(json.loads(message))
            if self.events[-1]["type"] == "bye":
                raise HungUp
        self.audio_frames.append(message)
        return np.frombuffer(message, "<i2")

    async def hear_utterance(self) -> int:
        """Wait until the caller has spoken and then been silent for 100 ms; returns how many frames were loud."""
        loud = quiet = 0
        while not loud or quiet < 5:
            if np.abs(await self.hear_frame()).max() > 300:
                loud, quiet = loud + 1, 0
            else:
                quiet += 1
        return loud

    async def hear_bye(self) -> None:
        """Listen until the caller says goodbye."""
        while True:
            await self.hear_frame()


Behaviour = Callable[[AgentEnd], Awaitable[None]]


@asynccontextmanager
async def agent(behave: Behaviour, ends: list[AgentEnd] | None = None, *, port: int = 0) -> AsyncIterator[str]:
    """Serve on `port` (0: a free one); gives the URL. `ends` collects the agent's end of every call."""

    async def call(socket: ServerConnection) -> None:
        end = AgentEnd(socket)
        if ends is not None:
            ends.append(end)
        with suppress(ConnectionClosed, HungUp):
            await behave(end)

    async with serve(call, "127.0.0.1", port, compression=None) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
