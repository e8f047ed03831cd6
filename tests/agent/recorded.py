"""A caller that keeps everything: each word it was told, and each sample it was sent, by turn."""

import asyncio
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.agent.served import FRAME, Served

_FRAME_SEC = 0.02
_WINDOW = 800  # 50 ms


@dataclass
class Recording:
    """One call. `told` has every event but audio, `audio` the PCM of each answer, turn 0 being the greeting."""

    told: list[dict[str, Any]] = field(default_factory=list)
    audio: dict[int, bytearray] = field(default_factory=lambda: defaultdict(bytearray))

    def texts(self, kind: str) -> list[str]:
        """Of every `transcript` or `reply`, in order."""
        return [event["text"] for event in self.told if event["type"] == kind]

    def announced_sha256(self) -> dict[int, str]:
        """What the agent says it has sent, by turn."""
        return {event["turn"]: event["sha256"] for event in self.told if event["type"] == "bot_stopped"}

    def received_sha256(self) -> dict[int, str]:
        """What has arrived, by turn."""
        return {turn: hashlib.sha256(pcm).hexdigest() for turn, pcm in self.audio.items()}


async def record_call(agent: Served, *utterances: Path, late_sec: float = 0.0) -> Recording:
    """Hear the greeting to its end, then say each file and hear its answer to the end."""
    await asyncio.sleep(late_sec)
    recording = Recording()
    to_say: asyncio.Queue[bytes] = asyncio.Queue()
    left = list(utterances)
    async with asyncio.timeout(60), agent.call() as call:
        speaking = asyncio.create_task(_speak(call, to_say))
        async for message in call:
            if _keep(recording, message)["type"] != "turn":
                continue
            if not left:
                break
            to_say.put_nowait(left.pop(0).read_bytes()[44:])
        speaking.cancel()
        await asyncio.wait([speaking])
        await call.send('{"type":"bye"}')
        async for message in call:
            _keep(recording, message)
    return recording


def likeness(heard: bytes, alone: bytes) -> float:
    """How alike two recordings of a voice are, up to 1: the correlation of their loudness, window by window.

    espeak-ng never says a text twice in exactly the same samples: what it said before moves its noise and its phases.
    """
    longest = max(len(heard), len(alone))
    one, other = (_loudness(pcm, longest // 2) for pcm in (heard, alone))
    return float(np.corrcoef(one, other)[0, 1])


def _loudness(pcm: bytes, samples: int) -> Any:
    """Without zeros, since frames are padded with them; where depends on when a pause came."""
    spoken = np.frombuffer(pcm, "<i2").astype(float)
    spoken = spoken[spoken != 0]
    padded = np.pad(spoken, (0, max(0, samples + _WINDOW - len(spoken))))
    windows = padded[: samples // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    return np.sqrt((windows**2).mean(axis=1))


def _keep(recording: Recording, message: str | bytes) -> dict[str, Any]:
    if isinstance(message, bytes):
        turn = next(event["turn"] for event in reversed(recording.told) if event["type"] == "bot_started")
        recording.audio[turn] += message
        return {"type": "audio"}
    event: dict[str, Any] = json.loads(message)
    recording.told.append(event)
    return event


async def _speak(call: Any, to_say: "asyncio.Queue[bytes]") -> None:
    """In real time; silence while there is nothing to say."""
    while True:
        pcm = FRAME if to_say.empty() else to_say.get_nowait()
        for start in range(0, len(pcm), len(FRAME)):
            await call.send(pcm[start : start + len(FRAME)])
            await asyncio.sleep(_FRAME_SEC)
