"""A call to ourselves before anybody calls: everything that a first turn would meet cold is met here."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from warmline.agent.call import Call
from warmline.agent.line import CallerGone
from warmline.agent.wire import BYTES_PER_FRAME, FRAME_MS
from warmline.clock import Clock
from warmline.errors import WarmUpFailed
from warmline.session import Session, Stage

if TYPE_CHECKING:
    from warmline.agent.kit import Kit
    from warmline.engines import TextToSpeech
    from warmline.settings import Scenario

__all__ = ["rehearse"]

_SILENCE = bytes(BYTES_PER_FRAME)
_BEFORE_FRAMES = 25


async def rehearse(kit: "Kit", clock: Clock, *, timeout_sec: float) -> str:
    """Say the scenario's first phrase to the agent with its own voice, and wait until it answers aloud.

    Returns what the agent replied.

    Raises:
        WarmUpFailed: the voice did not say the caller's part, no sound came back in time, or none of the model's words
            was in it.
    """
    session = Session(clock, emit=lambda _: None)
    part = _CallersPart(_first_phrase(kit.scenario), kit.speech)
    async with session, aclosing(part.frames()) as frames:
        caller = _Caller(frames)
        call = Call(caller, session, replace(kit, greeting=b""), clock, idle_timeout_sec=timeout_sec)
        over = await call.run()
    if caller.failure is not None:
        raise WarmUpFailed("the voice did not say the caller's part of the rehearsal") from caller.failure
    if not part.said:
        raise WarmUpFailed(f"the rehearsal was over before the voice had said the caller's part ({over.reason})")
    if caller.reply is None or not caller.answered:
        raise WarmUpFailed(f"the rehearsal got no spoken answer ({over.reason})")
    if Stage.LLM_FIRST_TOKEN not in session.turns.stages_ms(session.turns.answering):
        raise WarmUpFailed("the rehearsal was answered with an apology: the language model said nothing")
    return caller.reply


def _first_phrase(scenario: "Scenario") -> str:
    return next((phrase for each in scenario.phrases.values() for phrase in each), "hello").replace("$", "")


class _CallersPart:
    """Silence, the phrase, silence: the pipeline is built while the voice begins to make the phrase."""

    def __init__(self, phrase: str, voice: "TextToSpeech") -> None:
        self._phrase = phrase
        self._voice = voice
        self.said = False

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """As fast as they are taken and made, then in real time."""
        for _ in range(_BEFORE_FRAMES):
            await asyncio.sleep(0)
            yield _SILENCE
        pcm = bytearray()
        async with aclosing(self._voice.synthesize(self._phrase)) as pieces:
            async for piece in pieces:
                pcm += piece
                whole_bytes = len(pcm) - len(pcm) % BYTES_PER_FRAME
                yield bytes(pcm[:whole_bytes])
                del pcm[:whole_bytes]
        yield bytes(pcm)
        self.said = True
        while True:
            await asyncio.sleep(FRAME_MS / 1000)
            yield _SILENCE


class _Caller:
    """Speaks once, listens for the first sound of the answer, hangs up."""

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        self._frames = frames
        self.answered = False
        self.reply: str | None = None
        self.failure: Exception | None = None

    def post(self, kind: str, **fields: object) -> None:
        if kind == "reply" and fields["turn"] != 0:
            self.reply = str(fields["text"])

    async def send_audio(self, pcm: bytes) -> None:
        self.answered = True

    async def send_posted(self) -> None:
        await asyncio.Event().wait()

    async def receive(self) -> bytes | Mapping[str, object]:
        if self.answered and self.reply is not None:
            return {"type": "bye"}
        try:
            return await anext(self._frames)
        except Exception as failure:
            self.failure = failure
            raise CallerGone from failure
