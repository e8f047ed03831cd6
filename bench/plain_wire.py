"""Just as much of docs/reference/wire-protocol.md as the yardstick needs to be measured."""

import hashlib
import json
from typing import Any

from fastapi import WebSocket
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    TranscriptionFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.base_serializer import FrameSerializer

__all__ = ["AnnouncingSocket", "PcmSerializer", "ReplyTap", "SpeechEndTap", "TranscriptTap"]


class AnnouncingSocket:
    """A WebSocket that says `bot_started` before the first audio of an answer, and sums up what it sent at its end."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._turn = 0
        self._sent: bytearray | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    async def event(self, kind: str, **fields: object) -> None:
        """Send an event about the answer that is being given, or comes next."""
        await self._socket.send_text(json.dumps({"type": kind, "turn": self._turn, **fields}))

    async def send_bytes(self, pcm: bytes) -> None:
        """Send audio."""
        if self._sent is None:
            self._sent = bytearray()
            await self.event("bot_started")
        self._sent += pcm
        await self._socket.send_bytes(pcm)

    async def answer_ended(self, *, interrupted: bool = False) -> None:
        """The answer is over."""
        if self._sent is None:
            return
        sent, self._sent = bytes(self._sent), None
        digest = hashlib.sha256(sent).hexdigest()
        await self.event("bot_stopped", samples=len(sent) // 2, sha256=digest, interrupted=interrupted)
        self._turn += 1


class PcmSerializer(FrameSerializer):
    """Raw PCM both ways; an interruption as `flush`."""

    async def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, OutputAudioRawFrame):
            return frame.audio
        return json.dumps({"type": "flush"}) if isinstance(frame, InterruptionFrame) else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        return InputAudioRawFrame(audio=data, sample_rate=16_000, num_channels=1) if isinstance(data, bytes) else None


class _Tap(FrameProcessor):
    """Passes everything on, and tells the caller about some of it."""

    def __init__(self, line: AnnouncingSocket) -> None:
        super().__init__()
        self._line = line

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.tell(frame)
        await self.push_frame(frame, direction)

    async def tell(self, frame: Frame) -> None:
        raise NotImplementedError


class TranscriptTap(_Tap):
    """What was heard."""

    async def tell(self, frame: Frame) -> None:
        if isinstance(frame, TranscriptionFrame):
            await self._line.event("transcript", text=frame.text)


class ReplyTap(_Tap):
    """What will be said."""

    def __init__(self, line: AnnouncingSocket) -> None:
        super().__init__(line)
        self._text = ""

    async def tell(self, frame: Frame) -> None:
        if isinstance(frame, LLMTextFrame):
            self._text += frame.text
        elif isinstance(frame, LLMFullResponseEndFrame):
            text, self._text = self._text, ""
            await self._line.event("reply", text=text)


class SpeechEndTap(_Tap):
    """The end of an answer's audio."""

    async def tell(self, frame: Frame) -> None:
        if isinstance(frame, InterruptionFrame):
            await self._line.answer_ended(interrupted=True)
        elif isinstance(frame, BotStoppedSpeakingFrame):
            await self._line.answer_ended()
