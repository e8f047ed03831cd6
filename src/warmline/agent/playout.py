"""The agent's mouth: audio leaves in real time, one answer after the other, each counted and summed."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from warmline.agent.wire import BYTES_PER_FRAME, BYTES_PER_SAMPLE, FRAME_MS
from warmline.clock import Clock

__all__ = ["Listener", "Playout"]

_LEAD_SEC = 0.2
_FRAME_SEC = FRAME_MS / 1000
_NO_TURN = -1  # carries actions while nothing is being said

Action = Callable[[], Awaitable[None]]


class Listener(Protocol):
    """Who is told what the mouth does."""

    async def send_audio(self, pcm: bytes) -> None:
        """Send one frame to the caller."""
        ...

    async def on_started(self, turn: int) -> None:
        """The first frame of an answer is about to leave."""
        ...

    async def on_first_sent(self, turn: int) -> None:
        """The first frame of an answer has left."""
        ...

    async def on_stopped(self, turn: int, samples: int, sha256: str, *, interrupted: bool) -> None:
        """An answer is over: all of it was sent, or it was cut off."""
        ...


@dataclass(slots=True)
class _Answer:
    turn: int
    pieces: deque[bytes | Action] = field(default_factory=deque)
    ended: bool = False
    cut: bool = False
    started: bool = False
    sent_bytes: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def take_frame(self) -> bytes:
        """The next frame's worth of audio, less at a gap, empty when there is none."""
        frame = bytearray()
        while self.pieces and isinstance(self.pieces[0], bytes) and len(frame) < BYTES_PER_FRAME:
            piece = self.pieces.popleft()
            assert isinstance(piece, bytes)
            wanted = BYTES_PER_FRAME - len(frame)
            frame += piece[:wanted]
            if len(piece) > wanted:
                self.pieces.appendleft(piece[wanted:])
        return bytes(frame)

    def audio_bytes(self) -> int:
        """How much audio waits before the next action."""
        total = 0
        for piece in self.pieces:
            if not isinstance(piece, bytes):
                break
            total += len(piece)
            if total >= BYTES_PER_FRAME:
                break
        return total


class Playout:
    """Sends answers at the pace of speech, a fifth of a second ahead, so that a barge-in finds little to take back.

    `run` does the sending and is the only one that waits; everything else may be called at any time on the loop.
    """

    def __init__(self, clock: Clock, listener: Listener) -> None:
        self._clock = clock
        self._listener = listener
        self._answers: deque[_Answer] = deque()
        self._changed = asyncio.Event()
        self._played_until_sec = 0.0

    @property
    def speaking(self) -> int | None:
        """The turn whose answer is being said, if one is."""
        answer = self._answers[0] if self._answers else None
        return answer.turn if answer is not None and answer.turn != _NO_TURN and not answer.cut else None

    def say(self, turn: int, pcm: bytes) -> None:
        """Append audio to the answer of `turn`, which begins with its first audio."""
        if pcm:
            self._answer(turn).pieces.append(pcm)
            self._changed.set()

    def then(self, action: Action) -> None:
        """Do `action` once everything before it is sent; at once when nothing is being said; never after a flush."""
        if not self._answers:
            self._answers.append(_Answer(_NO_TURN, ended=True))
        self._answers[-1].pieces.append(action)
        self._changed.set()

    def end(self, turn: int) -> None:
        """The answer of `turn` is whole."""
        for answer in self._answers:
            if answer.turn == turn:
                answer.ended = True
        self._changed.set()

    def flush(self) -> int | None:
        """Drop everything that was not sent yet; returns the turn that was cut off, if one was."""
        cut = self.speaking
        for answer in self._answers:
            answer.pieces.clear()
            answer.ended = answer.cut = True
        self._changed.set()
        self._played_until_sec = 0.0
        return cut

    async def run(self) -> None:
        """Send until cancelled. What the listener raises ends it."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._answers and await self._advance(self._answers[0]):
                pass

    def _answer(self, turn: int) -> _Answer:
        if not self._answers or self._answers[-1].turn != turn or self._answers[-1].ended:
            self._answers.append(_Answer(turn))
        return self._answers[-1]

    async def _advance(self, answer: _Answer) -> bool:
        """One step of the first answer; False when it has to wait for more."""
        if answer.pieces and not isinstance(answer.pieces[0], bytes):
            action = answer.pieces.popleft()
            assert not isinstance(action, bytes)
            await action()
            return True
        if answer.audio_bytes() >= BYTES_PER_FRAME or (answer.pieces and answer.ended):
            await self._send(answer)
            return True
        if answer.pieces and any(not isinstance(piece, bytes) for piece in answer.pieces):
            await self._send(answer)  # a short frame, or what stands behind it would never come
            return True
        if not answer.ended:
            return False
        self._answers.popleft()
        if answer.started:
            await self._listener.on_stopped(
                answer.turn, answer.sent_bytes // BYTES_PER_SAMPLE, answer.digest.hexdigest(), interrupted=answer.cut
            )
        return True

    async def _send(self, answer: _Answer) -> None:
        await self._wait_for_turn()
        frame = answer.take_frame()
        if not frame:
            return  # it was flushed while we waited
        frame = frame.ljust(BYTES_PER_FRAME, b"\0")
        first, answer.started = not answer.started, True
        if first:
            await self._listener.on_started(answer.turn)
            if answer.cut:
                return
        self._played_until_sec = max(self._played_until_sec, self._clock.now()) + _FRAME_SEC
        answer.sent_bytes += len(frame)
        answer.digest.update(frame)
        await self._listener.send_audio(frame)
        if first:
            await self._listener.on_first_sent(answer.turn)

    async def _wait_for_turn(self) -> None:
        ahead_sec = self._played_until_sec - self._clock.now()
        if ahead_sec > _LEAD_SEC:
            await asyncio.sleep(ahead_sec - _LEAD_SEC)
