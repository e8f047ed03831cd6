"""An engine's voice as a Pipecat text-to-speech service."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from pipecat.frames.frames import ErrorFrame, Frame, TTSAudioRawFrame
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService

from warmline.adapters.pipecat.marks import Mark, unmarked
from warmline.engines import TextToSpeech
from warmline.errors import EngineError

__all__ = ["EngineTTSService"]

_LONGEST_STALL_SEC = 60.0


class EngineTTSService(TTSService):
    """Speaks sentence by sentence: the first complete sentence is spoken while the model still writes the next.

    `mark` is told `first_sentence` and `tts_first_byte` at every sentence; who listens keeps the first. Of a sentence
    in `rendered`, its PCM is taken, and nothing is synthesised.
    """

    def __init__(
        self, voice: TextToSpeech, *, mark: Mark = unmarked, rendered: Mapping[str, bytes] | None = None
    ) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            # An answer ends with the model's last word, not when the model pauses: longer than any model may stall.
            stop_frame_timeout_s=_LONGEST_STALL_SEC,
            sample_rate=voice.sample_rate_hz,
            settings=TTSSettings(model=None, voice=None, language=None),
        )
        self._voice = voice
        self._mark = mark
        self._rendered = rendered or {}

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Audio frames of one sentence."""
        self._mark("first_sentence")
        try:
            async with aclosing(self._audio_of(text)) as audio:
                async for pcm in audio:
                    self._mark("tts_first_byte")
                    yield TTSAudioRawFrame(pcm, self._voice.sample_rate_hz, 1, context_id=context_id)
        except EngineError as failure:
            yield ErrorFrame(error=str(failure), exception=failure)

    async def _audio_of(self, text: str) -> AsyncGenerator[bytes, None]:
        if (pcm := self._rendered.get(text.strip())) is not None:
            yield pcm
            return
        async with aclosing(self._voice.synthesize(text)) as audio:
            async for piece in audio:
                yield piece
