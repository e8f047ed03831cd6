"""One call, from the accepted socket to the hang-up."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING

from warmline.agent.greeting import is_stray_hello
from warmline.agent.line import CallerEnd, CallerGone
from warmline.agent.playout import Playout
from warmline.agent.prompt import core_prompt, with_facts
from warmline.agent.wire import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from warmline.clock import Clock
from warmline.engines import ChatMessage, Transcript
from warmline.errors import PoolError, ProtocolError
from warmline.session import Session, Stage

if TYPE_CHECKING:
    from warmline.agent.kit import Kit
    from warmline.agent.pipeline import CallPipeline

__all__ = ["Call", "CallOver"]

_NORMAL, _LEAVING, _FAILED = 1000, 1001, 1011
_AUDIO_QUEUE_FRAMES = 256
_MAX_AHEAD_SEC = 10.0
_UNDERSTOOD_CONFIDENCE = 0.1


class CallOver(Exception):  # noqa: N818 - what happened
    """Why the call ends; `code` None when the caller is gone already, `error` when the caller shall be told."""

    def __init__(self, code: int | None, reason: str, *, error: bool = True) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.error = error


class Call:
    """The caller's end, the agent's (`CallPipeline`), and everything that is told between them."""

    def __init__(self, line: CallerEnd, session: Session, kit: "Kit", clock: Clock, *, idle_timeout_sec: float) -> None:
        self._line = line
        self._session = session
        self._kit = kit
        self._clock = clock
        self._idle_timeout_sec = idle_timeout_sec
        self._audio: asyncio.Queue[bytes] = asyncio.Queue(_AUDIO_QUEUE_FRAMES)
        self._playout = Playout(clock, self)
        self._audible = asyncio.Event()
        self._pipeline: CallPipeline | None = None
        self._over: asyncio.Future[CallOver] = asyncio.get_running_loop().create_future()
        self._last_voice_sec = clock.now()
        self._over_greeting = False
        self._decided = False
        self._unfinished: int | None = None
        self._received_sec = 0.0
        self._leaving = asyncio.Event()
        self._quiet = asyncio.Event()
        self._leave_within_sec = 0.0

    def leave(self, within_sec: float) -> None:
        """Finish the turn at hand, then hang up; after `within_sec` in any case."""
        self._leave_within_sec = within_sec
        self._leaving.set()

    async def run(self) -> CallOver:
        """Until it is over; returns why. Everything started here has ended by then."""
        async with asyncio.TaskGroup() as tasks:
            owned = [
                tasks.create_task(self._ending(coroutine))
                for coroutine in (
                    self._line.send_posted(),
                    self._playout.run(),
                    self._listen(),
                    self._hang_up_when_idle(),
                    self._hang_up_when_told(),
                    self._converse(),
                )
            ]
            self._greet()
            over = await self._over
            for task in owned:
                task.cancel()
        return over

    # What the tasks of a call do.

    def _greet(self) -> None:
        self._session.turns.mark(Stage.SESSION_OPEN)
        self._line.post("reply", turn=0, text=self._kit.scenario.greeting)
        self._playout.say(0, self._kit.greeting)
        self._playout.end(0)

    async def _converse(self) -> None:
        from warmline.agent.pipeline import CallPipeline  # heavy, and loaded long before a warm server's first call

        # Who connects and says nothing, not even silence, needs none of it.
        await self._audible.wait()
        try:
            ear = await self._session.take(self._kit.ears)
            voice = await self._session.take(self._kit.voices)
        except PoolError as failure:
            raise CallOver(_FAILED, f"the {failure.pool} is gone") from failure
        self._pipeline = CallPipeline(self._kit, ear, voice, self._playout, self._audio, self)
        await self._pipeline.run()
        raise CallOver(_FAILED, "the pipeline ended")

    async def _listen(self) -> None:
        while True:
            message = await self._line.receive()
            if isinstance(message, bytes):
                await self._hear(message)
            elif message["type"] == "bye":
                raise CallOver(_NORMAL, "bye", error=False)

    async def _hear(self, pcm: bytes) -> None:
        if not pcm:
            return
        self._received_sec += len(pcm) / BYTES_PER_SAMPLE / SAMPLE_RATE_HZ
        ahead_sec = self._received_sec - self._session.turns.now_ms() / 1000
        if ahead_sec > _MAX_AHEAD_SEC:  # nobody speaks that fast: do not read on, and the sender has to wait
            await asyncio.sleep(ahead_sec - _MAX_AHEAD_SEC)
        self._audible.set()
        await self._audio.put(pcm)

    async def _hang_up_when_idle(self) -> None:
        while (left_sec := self._last_voice_sec + self._idle_timeout_sec - self._clock.now()) > 0:
            await asyncio.sleep(left_sec)
            if self._playout.speaking is not None:
                self._last_voice_sec = self._clock.now()
        raise CallOver(_NORMAL, "idle")

    async def _hang_up_when_told(self) -> None:
        await self._leaving.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._leave_within_sec):
                while self._playout.speaking is not None or self._unfinished is not None:
                    self._quiet.clear()
                    await self._quiet.wait()
        raise CallOver(_LEAVING, "the server is shutting down")

    async def _ending(self, coroutine: Coroutine[object, object, None]) -> None:
        """Run one of the call's tasks; whatever ends it ends the call."""
        try:
            await coroutine
        except CallOver as over:
            self._end(over)
        except CallerGone:
            self._end(CallOver(None, "gone", error=False))
        except ProtocolError as broken:
            self._end(CallOver(broken.close_code, broken.reason))
        except Exception:
            self._end(CallOver(_FAILED, "the agent failed"))
            raise

    def _end(self, over: CallOver) -> None:
        if not self._over.done():
            self._over.set_result(over)

    # What the pipeline tells (warmline.agent.pipeline.Conversation).

    @property
    def answering(self) -> int:
        """The turn that audio of the voice belongs to."""
        return self._session.turns.answering

    def mark(self, stage: str) -> None:
        """Keep when a stage was reached; a decided turn gets its number here."""
        turns = self._session.turns
        match stage:
            case "turn_decided":
                self._decide()
            case "turn_empty":
                turns.forget_hearing()
            case "vad_stop":
                turns.mark(Stage.SPEECH_END, earlier_ms=self._kit.vad_stop_sec * 1000)
                turns.mark(Stage.VAD_STOP)
                self._last_voice_sec = self._clock.now()
            case _:
                turns.mark(Stage(stage))

    def heard(self, transcript: Transcript) -> Transcript:
        """Tell the caller what was heard; over the greeting a stray "Hello?", or a mumble, counts as nothing."""
        unsure = transcript.confidence < _UNDERSTOOD_CONFIDENCE
        if self._over_greeting and (unsure or is_stray_hello(transcript.text)):
            return Transcript("", transcript.confidence, transcript.source)
        if transcript.text:
            self._line.post(
                "transcript",
                turn=self._session.turns.hearing,
                text=transcript.text,
                confidence=round(transcript.confidence, 3),
                source=transcript.source,
            )
        return transcript

    def prepare(self, messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
        """Core prompt, the facts that this turn needs, and the conversation."""
        if not self._decided:  # ended by a watchdog of Pipecat's instead of our strategy
            self._decide()
        self._decided = False
        scenario = self._kit.scenario
        return with_facts([core_prompt(scenario), *messages], scenario.facts)

    def replied(self, text: str) -> None:
        """Tell the caller's screen what is being said."""
        self._line.post("reply", turn=self.answering, text=text)

    def user_started(self) -> None:
        """The caller speaks: in a moment the model will be asked."""
        self._kit.model.rewarm()
        self._last_voice_sec = self._clock.now()
        self._over_greeting = self._playout.speaking == 0
        self._line.post("user_started", turn=self._session.turns.hearing)

    def user_stopped(self) -> None:
        """The caller's turn is over."""
        turn = self.answering if self._decided else self._session.turns.hearing
        self._line.post("user_stopped", turn=turn)

    def flushed(self, turn: int) -> None:
        """The caller barged in."""
        self._line.post("flush", turn=turn)

    def _decide(self) -> None:
        if self._playout.speaking == 0 and self._playout.flush() is not None:
            self.flushed(0)
        if self._unfinished is not None:  # it was cut off before its first sound
            self._finish_turn(self._unfinished, interrupted=True)
        self._unfinished = self._session.turns.decide()
        self._decided = True

    def _finish_turn(self, turn: int, *, interrupted: bool) -> None:
        if turn == self._unfinished:
            self._unfinished = None
        stages_ms = self._session.finish_turn(turn, interrupted=interrupted)
        self._line.post("turn", turn=turn, stages=stages_ms, interrupted=interrupted)
        self._quiet.set()

    # What the mouth tells (warmline.agent.playout.Listener).

    async def send_audio(self, pcm: bytes) -> None:
        """One frame to the caller."""
        await self._line.send_audio(pcm)

    async def on_started(self, turn: int) -> None:
        """An answer begins."""
        self._line.post("bot_started", turn=turn)
        if self._pipeline is not None:
            await self._pipeline.bot_started()

    async def on_first_sent(self, turn: int) -> None:
        """Its first frame has left."""
        if turn == self.answering:
            self._session.turns.mark(Stage.FIRST_AUDIO_SENT)

    async def on_stopped(self, turn: int, samples: int, sha256: str, *, interrupted: bool) -> None:
        """An answer is over."""
        self._last_voice_sec = self._clock.now()
        self._line.post("bot_stopped", turn=turn, samples=samples, sha256=sha256, interrupted=interrupted)
        self._finish_turn(turn, interrupted=interrupted)
        if self._pipeline is not None:
            await self._pipeline.bot_stopped()
