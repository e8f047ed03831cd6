"""Everything that came over the line, sorted into answers: the synchronous ear of a call."""

import json
from collections.abc import Mapping
from typing import Any

from warmline.measure.answer import Answer
from warmline.measure.playout import Playout
from warmline.measure.wire_audio import samples_of

__all__ = ["Line"]


class Line:
    """Takes what arrives (and when) and keeps the answers, the texts by turn, and every breach of the protocol."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.faults: list[str] = []
        self.warm: str | None = None
        self.transcripts: dict[int, str] = {}
        self.replies: dict[int, str] = {}
        self.stages_ms: dict[int, dict[str, float]] = {}
        self.refusal: str | None = None
        self._playout = Playout()

    def received(self, message: bytes | str, at_sec: float) -> None:
        """A frame or an event arrived."""
        if isinstance(message, bytes):
            self._audio(message, at_sec)
            return
        try:
            event = json.loads(message)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self.faults.append("a text frame that is no JSON object")
            return
        self._event(event, at_sec)

    def quiet(self, now_sec: float) -> bool:
        """Whether no answer is under way and everything has been played."""
        return now_sec >= self._playout.free_sec and all(answer.over(now_sec) for answer in self.answers)

    def _audio(self, pcm: bytes, at_sec: float) -> None:
        if len(pcm) % 2:
            self.faults.append(f"an audio frame of odd length ({len(pcm)} bytes)")
        played = self._playout.play(samples_of(pcm), at_sec)
        if (answer := self._current()) is not None:
            answer.received(pcm, played)

    def _event(self, event: Mapping[str, Any], at_sec: float) -> None:
        match event.get("type"):
            case "ready":
                self.warm = event.get("warm")
            case "bot_started":
                self._bot_started(_turn(event), at_sec)
            case "bot_stopped":
                self._bot_stopped(event, at_sec)
            case "flush":
                self._playout.flush(at_sec)
            case "transcript":
                self.transcripts[_turn(event)] = str(event.get("text", ""))
            case "reply":
                self.replies[_turn(event)] = str(event.get("text", ""))
            case "turn":
                self._stages(event)
            case "error":
                self.refusal = f"{event.get('reason')} ({event.get('code')})"

    def _current(self) -> Answer | None:
        return self.answers[-1] if self.answers and self.answers[-1].stopped_sec is None else None

    def _bot_started(self, turn: int, at_sec: float) -> None:
        if self._current() is not None:
            self.faults.append(f"turn {turn}: bot_started before the answer before it stopped")
        elif self.answers and turn <= self.answers[-1].turn:
            self.faults.append(f"turn {turn}: bot_started, but turn {self.answers[-1].turn} was answered already")
        self.answers.append(Answer(turn, at_sec))

    def _bot_stopped(self, event: Mapping[str, Any], at_sec: float) -> None:
        answer, turn = self._current(), _turn(event)
        if answer is None or answer.turn != turn:
            self.faults.append(f"turn {turn}: bot_stopped without its bot_started")
            return
        answer.stopped(at_sec, event.get("samples"), event.get("sha256"), interrupted=bool(event.get("interrupted")))
        if answer.fault is not None:
            self.faults.append(answer.fault)

    def _stages(self, event: Mapping[str, Any]) -> None:
        stages = event.get("stages")
        if isinstance(stages, Mapping):
            self.stages_ms[_turn(event)] = {
                str(name): float(at_ms) for name, at_ms in stages.items() if isinstance(at_ms, int | float)
            }


def _turn(event: Mapping[str, Any]) -> int:
    turn = event.get("turn")
    return turn if isinstance(turn, int) else -1
