"""Any OpenAI-compatible chat-completions server as a language model."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import openai

from warmline.engines.protocols import ChatMessage
from warmline.errors import EngineError, WarmUpFailed

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

__all__ = ["OpenAIConfig", "OpenAILanguageModel"]


@dataclass(frozen=True, slots=True)
class OpenAIConfig:
    """Where the model is and what it is called. The key never shows in a repr.

    `base_url` None is OpenAI's own; `model` None takes the first that the server offers.
    `keepalive_sec` is how long an idle connection is kept: the SDK's own default of 5 s makes the connection cold
    again in most pauses of a conversation.
    """

    model: str | None = None
    base_url: str | None = None
    api_key: str = field(default="", repr=False)
    timeout_sec: float = 20.0
    keepalive_sec: float = 300.0


class OpenAILanguageModel:
    """Answers by streamed chat completions, all calls over one client's connections."""

    def __init__(self, config: OpenAIConfig) -> None:
        self.config = config
        self._model = config.model
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
            max_connections=1000, max_keepalive_connections=100, keepalive_expiry=config.keepalive_sec
        )
        self._client = openai.AsyncOpenAI(
            api_key=config.api_key or "none",
            base_url=config.base_url,
            timeout=config.timeout_sec,
            max_retries=1,
            http_client=openai.DefaultAsyncHttpxClient(limits=limits, timeout=config.timeout_sec),
        )

    async def connect(self) -> None:
        """Open a connection and prove that the server answers on it. Costs no token.

        Raises:
            WarmUpFailed: no answer, or the key was refused.
        """
        try:
            offered = await self._client.models.list()
            if self._model is None:
                self._model = offered.data[0].id
        except IndexError as failure:
            raise WarmUpFailed(f"the language model server at {self._where} offers no model") from failure
        except openai.OpenAIError as failure:
            raise WarmUpFailed(f"the language model at {self._where} does not answer: {_brief(failure)}") from failure

    async def stream(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[str, None]:
        """The answer, piece by piece.

        Raises:
            EngineError: the request failed.
        """
        if self._model is None:
            await self._choose_model()
        sent = cast(
            "list[ChatCompletionMessageParam]", [{"role": each.role, "content": each.content} for each in messages]
        )
        try:
            async with await self._client.chat.completions.create(
                model=self._model or "", messages=sent, stream=True
            ) as chunks:
                async for chunk in chunks:
                    if chunk.choices and (piece := chunk.choices[0].delta.content):
                        yield piece
        except (openai.OpenAIError, ValueError) as failure:  # ValueError: an event that is no JSON
            raise EngineError(f"the language model at {self._where} failed: {_brief(failure)}") from failure

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _choose_model(self) -> None:
        try:
            await self.connect()
        except WarmUpFailed as failure:
            raise EngineError(str(failure)) from failure

    @property
    def _where(self) -> str:
        return self.config.base_url or "OpenAI"


def _brief(failure: Exception) -> str:
    """What went wrong, without what was sent: server messages may quote the caller or the key."""
    status = getattr(failure, "status_code", None)
    return f"{type(failure).__name__}" + (f" (HTTP {status})" if status else "")
