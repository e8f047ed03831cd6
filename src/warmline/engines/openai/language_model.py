"""Answers by streamed chat completions."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

import openai

from warmline.clock import Clock, SystemClock
from warmline.connections.http import WarmTransport, transport_of
from warmline.engines.openai.availability import Availability
from warmline.engines.openai.client import make_client
from warmline.engines.openai.config import OpenAIConfig
from warmline.engines.openai.gate import ModelGate
from warmline.engines.openai.trouble import Trouble, diagnose, no_model_offered, too_slow
from warmline.engines.openai.watch import ModelWatch
from warmline.engines.protocols import ChatMessage
from warmline.errors import EngineError, PoolError, WarmUpFailed

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

__all__ = ["OpenAILanguageModel"]

_CONNECT_TIMEOUT_SEC = 10.0
_KEY_REFUSED = (401, 403)


class OpenAILanguageModel:
    """All calls over one client, whose connections stand ready: also in bursts, after idle time, after a barge-in.

    May be made anywhere; belongs to the event loop that uses it first. When a request fails it looks by itself whether
    the model is back, with requests that cost nothing; `gate` tells.

    Raises:
        ConfigError: the configuration contradicts itself.
    """

    def __init__(self, config: OpenAIConfig, clock: Clock | None = None) -> None:
        self.config: OpenAIConfig = config
        self._model = config.model
        self._client = make_client(config)
        self._transport: WarmTransport = transport_of(self._client)
        self._availability = Availability((clock or SystemClock()).jitter)
        self._watch = ModelWatch(self._check, self._availability)
        self._seen = (False, False)
        self._closed = False

    async def connect(self) -> None:
        """Open the connections and prove that the server answers on them. Costs no token.

        Raises:
            WarmUpFailed: no answer, or the key was refused.
        """
        if (trouble := await self._watch.look()) is not None:
            raise WarmUpFailed(f"the language model {trouble.why}")
        stands = await self._transport.wait_warm(timeout=_CONNECT_TIMEOUT_SEC)
        if not stands and self._transport.route.keeps_warm:
            raise WarmUpFailed("the language model answers, but its connections do not stay")

    def rewarm(self) -> None:
        """Somebody is about to ask: prove the connections that have been idle. Returns at once and never raises."""
        self._transport.begin()
        if self._transport.route.keeps_warm:
            with contextlib.suppress(PoolError):  # it is not open yet, so it is being warmed anyway
                self._transport.origin.reprove(older_than_sec=5.0)

    @property
    def gate(self) -> ModelGate:
        """Whether the next request has a chance, as far as requests and checks have shown. To be asked on the loop."""
        self._look_at_idle_connections()
        found = self._availability.trouble
        return ModelGate(None if found is None else found.why)

    async def stream(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[str, None]:
        """The answer, piece by piece.

        Raises:
            EngineError: the request failed, or no piece came in time.
        """
        try:
            async with aclosing(self._pieces(messages)) as pieces:
                while (piece := await self._next(pieces)) is not None:
                    self._watch.answered()
                    yield piece
        except TimeoutError as late:
            raise self._failed(too_slow(self.config.token_timeout_sec)) from late
        except EngineError:
            raise
        except Exception as failure:  # the SDK's errors, and below them those of its HTTP library
            raise self._failed(self._diagnosed(failure)) from failure

    async def aclose(self) -> None:
        """Close the connections."""
        self._closed = True
        await self._watch.aclose()
        await self._client.close()

    async def _next(self, pieces: AsyncGenerator[str, None]) -> str | None:
        async with asyncio.timeout(self.config.token_timeout_sec):
            return await anext(pieces, None)

    async def _pieces(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[str, None]:
        if self._model is None and (trouble := await self._check()) is not None:
            raise self._failed(trouble)
        async with await self._ask(messages) as chunks:
            async for chunk in chunks:
                if chunk.choices and (piece := chunk.choices[0].delta.content):
                    yield piece

    async def _ask(self, messages: Sequence[ChatMessage]) -> "openai.AsyncStream[ChatCompletionChunk]":
        """Once more when the server or the line failed, which is often over in a moment; never what was refused."""
        try:
            return await self._ask_once(messages)
        except (openai.InternalServerError, openai.APIConnectionError):
            return await self._ask_once(messages)

    async def _ask_once(self, messages: Sequence[ChatMessage]) -> "openai.AsyncStream[ChatCompletionChunk]":
        sent = cast(
            "list[ChatCompletionMessageParam]", [{"role": each.role, "content": each.content} for each in messages]
        )
        return await self._client.chat.completions.create(model=self._model or "", messages=sent, stream=True)

    def _failed(self, trouble: Trouble) -> EngineError:
        self._watch.failed(trouble)
        return EngineError(f"the language model {trouble.why}")

    async def _check(self) -> Trouble | None:
        """What a list of the models, which is free, says about the key, the way there and the model's name."""
        try:
            return await self._look_up_model()
        except Exception as failure:  # anything at all: a check tells, it never fails
            return self._diagnosed(failure)

    def _diagnosed(self, failure: Exception) -> Trouble:
        return diagnose(failure, self._model, by_token=self.config.token_provider is not None)

    async def _look_up_model(self) -> Trouble | None:
        try:
            offered = [each.id for each in (await self._client.models.list()).data]
        except openai.NotFoundError:  # compatible servers may have no such list
            offered = []
        if self._model is None:
            self._model = next(iter(offered), None)
            return no_model_offered() if self._model is None else None
        self._availability.checks_show_model = bool(offered) and self.config.azure_api_version is None
        if self._availability.checks_show_model and self._model not in offered:
            await self._client.models.retrieve(self._model)
        return None

    def _look_at_idle_connections(self) -> None:
        """Have it checked when their warm-ups begin to be refused, or no connection can be opened."""
        if self._closed or (pool := self._transport.snapshot()) is None:
            return
        seen = (self._transport.refused_status in _KEY_REFUSED, pool["breaker_open"])
        if seen != self._seen and any(seen):
            self._watch.suspect()
        self._seen = seen
