"""Everything a first call would wait for, done before it: in parallel, each step timed and proved."""

import asyncio
import gc
import importlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, TypeVar

from warmline.clock import Clock
from warmline.events import WarmUpStepFinished
from warmline.models import ModelRegistry
from warmline.session import Emit

if TYPE_CHECKING:
    from warmline.adapters.pipecat import AnalyzerWeights
    from warmline.agent.kit import Kit
    from warmline.engines import LanguageModel, SpeechToText, TextToSpeech
    from warmline.settings import Scenario, Settings

__all__ = ["WarmStart"]

_Made = TypeVar("_Made")
_log = logging.getLogger(__name__)
_IMPORTS = ("warmline.agent.pipeline", "warmline.agent.rehearsal", "warmline.engines.openai")
_REHEARSAL_TIMEOUT_SEC = 10.0


class WarmStart:
    """Makes the kit, once. `say` is given a line for each step as it ends. Used as `async with`."""

    def __init__(
        self, settings: "Settings", scenario: "Scenario", *, clock: Clock, emit: Emit, say: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._scenario = scenario
        self._clock = clock
        self._emit = emit
        self._say = say
        self._held = AsyncExitStack()
        self._models = ModelRegistry()
        self._making: asyncio.Task[Kit] | None = None

    async def __aenter__(self) -> "WarmStart":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._making is not None and not self._making.done():
            self._making.cancel()
            await asyncio.wait([self._making])
        await self._held.aclose()

    async def imports(self) -> None:
        """Load the modules of a call and nothing else, off the loop."""
        await self._step("imports", self._import())

    async def kit(self) -> "Kit":
        """The kit, made by whoever asks first; everybody else waits for the same one.

        Raises:
            WarmlineError: an engine could not be started. The next call tries again.
        """
        if self._making is None or (self._making.done() and self._making.exception() is not None):
            self._making = asyncio.create_task(self._make(), name="make the kit")
        return await asyncio.shield(self._making)

    async def exercise(self) -> None:
        """First inferences, then a whole call to ourselves. What fails is said, and left to the first call."""
        from warmline.agent.rehearsal import rehearse

        kit = await self.kit()
        await self._wanted("inferences", asyncio.to_thread(kit.weights.exercise))
        await self._wanted("rehearsal", rehearse(kit, self._clock, timeout_sec=_REHEARSAL_TIMEOUT_SEC))
        # What lives until the end need not be walked by every collection during calls.
        gc.collect()
        gc.freeze()

    async def _make(self) -> "Kit":
        try:
            return await self._assemble()
        except BaseException:
            held, self._held = self._held, AsyncExitStack()
            await held.aclose()  # the next attempt starts its own
            raise

    async def _assemble(self) -> "Kit":
        from warmline.agent.kit import Kit

        settings = self._settings
        async with asyncio.TaskGroup() as steps:
            url = steps.create_task(self._step("model server", self._llm_url()))
            ear = steps.create_task(self._step("recogniser", self._ear()))
            voice = steps.create_task(self._step("voice", self._voice()))
            imported = steps.create_task(self._step("imports", self._import()))
            weights = steps.create_task(self._weights(imported))
            model = steps.create_task(self._model(imported, url))
            greeting = steps.create_task(self._greeting(voice))
        return Kit(
            scenario=self._scenario,
            ear=ear.result(),
            voice=voice.result(),
            model=model.result(),
            weights=weights.result(),
            greeting=greeting.result(),
            vad_stop_sec=settings.vad_stop_sec,
            turn_patience_sec=settings.turn_patience_sec,
        )

    async def _import(self) -> None:
        for module in _IMPORTS:
            await asyncio.to_thread(importlib.import_module, module)

    async def _ear(self) -> "SpeechToText":
        from warmline.engines.pocketsphinx import PocketsphinxConfig, PocketsphinxSpeechToText

        phrases = tuple(phrase for each in self._scenario.phrases.values() for phrase in each)
        config = PocketsphinxConfig(
            phrases=phrases, slots=self._scenario.slots, cache_dir=self._settings.cache_dir / "pocketsphinx"
        )
        ear = await PocketsphinxSpeechToText.start(config)
        self._held.push_async_callback(ear.aclose)
        return ear

    async def _voice(self) -> "TextToSpeech":
        from warmline.engines.espeak import EspeakTextToSpeech

        voice = await EspeakTextToSpeech.start(self._settings.espeak)
        self._held.push_async_callback(voice.aclose)
        return voice

    async def _llm_url(self) -> str:
        """Where the language model is; ours is started when no other was chosen."""
        if self._settings.llm_base_url is not None:
            return self._settings.llm_base_url
        from warmline.emulators import EmulatorProcess

        emulator = await EmulatorProcess.start()
        self._held.push_async_callback(emulator.aclose)
        return emulator.url

    async def _weights(self, imported: Awaitable[None]) -> "AnalyzerWeights":
        await imported
        from warmline.adapters.pipecat import AnalyzerWeights
        from warmline.models import GraphCache

        graphs = GraphCache(self._settings.cache_dir / "graphs")
        return await self._step("turn models", asyncio.to_thread(AnalyzerWeights.load, self._models, graphs))

    async def _model(self, imported: Awaitable[None], url: Awaitable[str]) -> "LanguageModel":
        await imported
        from warmline.engines.openai import OpenAIConfig, OpenAILanguageModel

        key = self._settings.llm_api_key
        config = OpenAIConfig(
            model=self._settings.llm_model,
            base_url=await url,
            api_key=key.get_secret_value() if key else "",
        )
        model = await asyncio.to_thread(OpenAILanguageModel, config)
        self._held.push_async_callback(model.aclose)
        if self._settings.warm == "all":
            await self._wanted("model connection", model.connect())
        return model

    async def _greeting(self, voice: "Awaitable[TextToSpeech]") -> bytes:
        from warmline.agent.greeting import render_greeting

        return await self._step("greeting", render_greeting(await voice, self._scenario.greeting))

    async def _wanted(self, name: str, work: Awaitable[object]) -> None:
        """A step whose failure costs the first caller time, and nothing else."""
        try:
            await self._step(name, work)
        except Exception as failure:
            _log.warning("warm-up step %s failed: %s", name, failure)

    async def _step(self, name: str, work: Awaitable[_Made]) -> _Made:
        began_sec = self._clock.now()
        try:
            made = await work
        except Exception as failure:
            self._finished(name, began_sec, error=f"{type(failure).__name__}: {failure}")
            raise
        self._finished(name, began_sec, error=None)
        return made

    def _finished(self, name: str, began_sec: float, error: str | None) -> None:
        now_sec = self._clock.now()
        took_ms = (now_sec - began_sec) * 1000
        self._emit(WarmUpStepFinished(at_sec=now_sec, name=name, took_ms=took_ms, verified=error is None, error=error))
        self._say(f"  {name:<17}{took_ms / 1000:6.2f} s  {'ok' if error is None else error}")
