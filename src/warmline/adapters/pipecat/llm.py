"""An engine's language model as a Pipecat LLM service."""

from collections.abc import Callable, Sequence
from contextlib import aclosing

from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from warmline.adapters.pipecat.marks import Mark, unmarked
from warmline.engines import ChatMessage, LanguageModel
from warmline.errors import EngineError

__all__ = ["EngineLLMService"]

Prepare = Callable[[Sequence[ChatMessage]], Sequence[ChatMessage]]


class EngineLLMService(FrameProcessor):
    """Answers a context with streamed text. An interruption ends the request (Pipecat cancels the frame's work).

    `prepare` sees the conversation before it is sent and returns what to send. `replied` is given the whole text of an
    answer when it is complete or cut off. `apology` is said when the model fails, also in the middle of an answer.
    `mark` is told `llm_sent` and `llm_first_token`.

    It derives from Pipecat's plain processor because the tool calling of its LLM base class is a third of a second
    of imports that no engine here uses.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        prepare: Prepare = lambda messages: messages,
        replied: Callable[[str], None] = lambda text: None,
        apology: str = "Sorry, I can not answer right now.",
        mark: Mark = unmarked,
    ) -> None:
        super().__init__()
        self._model = model
        self._prepare = prepare
        self._replied = replied
        self._apology = apology
        self._mark = mark

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answer contexts; pass everything else on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            await self._answer(frame.context)
        else:
            await self.push_frame(frame, direction)

    async def _answer(self, context: LLMContext) -> None:
        await self.push_frame(LLMFullResponseStartFrame())
        pieces: list[str] = []
        try:
            await self._stream(self._prepare(_conversation(context)), pieces)
        except EngineError as failure:
            await self.push_error("the language model failed", exception=failure)
            await self._apologise(pieces)
        finally:
            if pieces:
                self._replied("".join(pieces))
        await self.push_frame(LLMFullResponseEndFrame())

    async def _apologise(self, pieces: list[str]) -> None:
        # What was begun ends as a sentence, so that the apology is one of its own.
        for piece in ([". "] if pieces else []) + [self._apology]:
            pieces.append(piece)
            await self.push_frame(LLMTextFrame(piece))

    async def _stream(self, messages: Sequence[ChatMessage], pieces: list[str]) -> None:
        self._mark("llm_sent")
        async with aclosing(self._model.stream(messages)) as answer:
            async for piece in answer:
                self._mark("llm_first_token")
                pieces.append(piece)
                await self.push_frame(LLMTextFrame(piece))


def _conversation(context: LLMContext) -> list[ChatMessage]:
    """The plain text messages of a context; an engine of ours knows no other."""
    conversation = []
    for message in context.get_messages():
        match message:
            case {"role": "system" | "developer" | "user" | "assistant" as role, "content": str(content)}:
                conversation.append(ChatMessage(role, content))
    return conversation
