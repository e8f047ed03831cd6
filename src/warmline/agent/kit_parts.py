"""The parts of the kit, each made, proved and given back by itself: what the steps of the warm-up do."""

import asyncio
import gc
from typing import TYPE_CHECKING, Any

from warmline.agent.whole_phrases import WholePhrases
from warmline.clock import Clock
from warmline.models import GraphCache, ModelRegistry
from warmline.startup import Verified

if TYPE_CHECKING:
    import onnxruntime

    from warmline.agent.kit import Kit
    from warmline.credentials import TokenKeeper
    from warmline.emulators import EmulatorProcess
    from warmline.engines import PoolHooks, SpeechToText, TextToSpeech, TranscriptStream
    from warmline.engines.openai import OpenAILanguageModel
    from warmline.health import Gated
    from warmline.pool import WarmableResourcePool
    from warmline.settings import Scenario, Settings

__all__ = ["KitParts"]

_REHEARSAL_TIMEOUT_SEC = 10.0
_SPARES_TIMEOUT_SEC = 10.0
_BYTES_PER_SEC = 32_000


class KitParts:
    """What has been made so far. A part that is made again replaces what it was."""

    def __init__(self, settings: "Settings", scenario: "Scenario", clock: Clock) -> None:
        self._settings = settings
        self._scenario = scenario
        self._clock = clock
        self._models = ModelRegistry()
        self._graphs = GraphCache(settings.cache_dir / "graphs")
        self._emulator: EmulatorProcess | None = None
        self._hearing: SpeechToText | None = None
        self._whole_phrases = WholePhrases((), {})
        self._ears: WarmableResourcePool[TranscriptStream] | None = None
        self._speech: TextToSpeech | None = None
        self._voices: WarmableResourcePool[TextToSpeech] | None = None
        self._greeting: bytes | None = None
        self._apology: bytes | None = None
        self._model: OpenAILanguageModel | None = None
        self._tokens: TokenKeeper | None = None
        self._silero: onnxruntime.InferenceSession | None = None
        self._smart_turn: onnxruntime.InferenceSession | None = None
        self.complete: asyncio.Event = asyncio.Event()
        """Set once a call could be answered."""

    def kit(self) -> "Kit | None":
        """What calls take from; None while a part is missing."""
        if not (self._ears and self._voices and self._speech and self._greeting and self._apology):
            return None
        if not (self._model and self._silero and self._smart_turn):
            return None
        from warmline.adapters.pipecat import AnalyzerWeights
        from warmline.agent.kit import Kit

        return Kit(
            scenario=self._scenario,
            ears=self._ears,
            voices=self._voices,
            speech=self._speech,
            model=self._model,
            weights=AnalyzerWeights(self._silero, self._smart_turn),
            greeting=self._greeting,
            apology=self._apology,
            vad_stop_sec=self._settings.vad_stop_sec,
            turn_patience_sec=self._settings.turn_patience_sec,
            whole_phrases=self._whole_phrases,
        )

    def spares(self, name: str) -> tuple[int, int]:
        """How many spares of the `recogniser` or `voice` pool stand, and should."""
        pool: WarmableResourcePool[Any] | None = self._ears if name == "recogniser" else self._voices
        if pool is None:
            return 0, 1
        snapshot = pool.snapshot()
        return snapshot["warm_pool_size"], snapshot["warm_pool_target"]

    def model_gate(self) -> "Gated":
        """Whether the language model can be asked, as far as is known; open while there is none."""
        asked = True if self._model is None else self._model.gate
        # Without a token both are shut, the model's a little longer: until a request has shown that there is one.
        return self._tokens.gate if asked and self._tokens is not None else asked

    # Steps. Each returns what proves that it did what it is for.

    async def start_model_server(self) -> Verified:
        """Our own language model's server answers on its port."""
        from warmline.emulators import EmulatorProcess

        self._emulator = await EmulatorProcess.start()
        return Verified("it listens")

    async def stop_model_server(self) -> None:
        """End its process."""
        assert self._emulator is not None
        await self._emulator.aclose()

    async def start_recogniser(self) -> Verified:
        """The chosen engine has loaded its models, and heard something unless ears stand ready: each of them has."""
        from warmline.agent.ear_and_voice import start_ear
        from warmline.engines.pocketsphinx import PocketsphinxConfig

        phrases = tuple(phrase for each in self._scenario.phrases.values() for phrase in each)
        config = PocketsphinxConfig(
            phrases=phrases, slots=self._scenario.slots, cache_dir=self._settings.cache_dir / "pocketsphinx"
        )
        alone = self._settings.warm != "all" or self._settings.spare_calls == 0
        self._hearing, evidence = await start_ear(self._settings, config, self._models, prove=alone)
        self._whole_phrases = WholePhrases(config.all_phrases(), config.all_slots())
        return Verified(evidence)

    async def stop_recogniser(self) -> None:
        """End its processes, or threads."""
        assert self._hearing is not None
        await self._hearing.aclose()

    async def open_ears(self) -> Verified:
        """The pool of ears is open, and one of them has heard a word."""
        from warmline.engines import ear_hooks

        assert self._hearing is not None
        self._ears = await self._pool("recogniser", ear_hooks(self._hearing))
        return self._part_made("{} of {} spares heard a recorded word".format(*self.spares("recogniser")))

    async def close_ears(self) -> None:
        """Close them all."""
        await _close(self._ears)

    async def start_voice(self) -> Verified:
        """The chosen engine has loaded its voice and spoken."""
        from warmline.agent.ear_and_voice import start_voice

        self._speech, evidence = await start_voice(self._settings)
        return self._part_made(evidence)

    async def stop_voice(self) -> None:
        """End its processes."""
        assert self._speech is not None
        await self._speech.aclose()

    async def open_voices(self) -> Verified:
        """The pool of voices is open, and one of them has said a word."""
        from warmline.engines import voice_hooks

        assert self._speech is not None
        self._voices = await self._pool("voice", voice_hooks(self._speech))
        return self._part_made("{} of {} spares spoke".format(*self.spares("voice")))

    async def close_voices(self) -> None:
        """Close them all."""
        await _close(self._voices)

    async def render_greeting(self) -> Verified:
        """The first words are audible."""
        self._greeting = await self._rendered(self._scenario.greeting)
        return self._part_made(f"{len(self._greeting) / _BYTES_PER_SEC:.1f} s of audio")

    async def render_apology(self) -> Verified:
        """What is said when the model fails is audible."""
        self._apology = await self._rendered(self._scenario.apology)
        return self._part_made(f"{len(self._apology) / _BYTES_PER_SEC:.1f} s of audio")

    def load_silero(self) -> Verified:
        """The voice activity model's weights."""
        from warmline.adapters.pipecat import load_silero

        self._silero = load_silero(self._models, self._graphs)
        return Verified("loaded")

    def load_smart_turn(self) -> Verified:
        """The end-of-turn model's weights."""
        from warmline.adapters.pipecat import load_smart_turn

        self._smart_turn = load_smart_turn(self._models, self._graphs)
        return Verified("loaded")

    async def weights_loaded(self) -> Verified:
        """Said on the loop, once both have been loaded in their threads."""
        return self._part_made("both models")

    def infer_silero(self) -> Verified:
        """Its first label."""
        from warmline.adapters.pipecat import exercise_silero

        assert self._silero is not None
        return Verified(f"label {exercise_silero(self._silero):.3f}")

    def infer_smart_turn(self) -> Verified:
        """Its first label."""
        from warmline.adapters.pipecat import exercise_smart_turn

        assert self._smart_turn is not None
        return Verified(f"label {exercise_smart_turn(self._smart_turn):.3f}")

    async def make_model(self) -> Verified:
        """The language model's client, with its TLS context."""
        from warmline.agent.model_config import model_config, model_tokens
        from warmline.engines.openai import OpenAILanguageModel

        self._tokens = self._tokens or model_tokens(self._settings)
        if self._tokens is not None:
            await self._tokens.start()
        emulated = self._emulator.url if self._emulator else None
        self._model = await asyncio.to_thread(
            OpenAILanguageModel, model_config(self._settings, emulated, self._tokens), self._clock
        )
        return self._part_made("made")

    async def connect_model(self) -> Verified:
        """A connection on which it has answered; costs no token."""
        assert self._model is not None
        await self._model.connect()
        return Verified("it answered")

    async def close_model(self) -> None:
        """Close its connections, and end what fetches its tokens."""
        if self._model is not None:
            await self._model.aclose()
        if self._tokens is not None:
            await self._tokens.aclose()

    async def rehearse(self) -> Verified:
        """A whole call to ourselves."""
        from warmline.agent.rehearsal import rehearse

        kit = self.kit()
        assert kit is not None, "the rehearsal needs every part"
        await self._add_spares()  # a rehearsal leaves a core idle, and none of what it needs waits for them
        await rehearse(kit, self._clock, timeout_sec=_REHEARSAL_TIMEOUT_SEC)
        return Verified("a spoken answer")

    async def wait_for_spares(self) -> Verified:
        """All of them stand, and what the rehearsal took is replaced."""
        from warmline.agent.call_pools import wait_for_spares

        await self._add_spares()  # there may have been no rehearsal
        assert self._ears is not None
        assert self._voices is not None
        await wait_for_spares(self._ears, self._voices, timeout_sec=_SPARES_TIMEOUT_SEC)
        return Verified("{} ears, {} voices".format(self.spares("recogniser")[0], self.spares("voice")[0]))

    async def freeze(self) -> Verified:
        """What lives until the end need not be walked by every collection during calls."""
        gc.collect()  # a matter of milliseconds: the modules, nearly all there is, are frozen since they were loaded
        gc.freeze()
        return Verified(f"{gc.get_freeze_count()} objects")

    async def _rendered(self, sentence: str) -> bytes:
        from warmline.agent.greeting import render_sentence

        assert self._speech is not None
        return await render_sentence(self._speech, sentence)

    async def _pool(self, name: str, hooks: "PoolHooks[Any]") -> "WarmableResourcePool[Any]":
        from warmline.agent.call_pools import open_pool

        return await open_pool(name, hooks, self._settings)

    async def _add_spares(self) -> None:
        from warmline.agent.call_pools import add_spares

        assert self._ears is not None
        assert self._voices is not None
        for pool in (self._ears, self._voices):
            await add_spares(pool, self._settings)

    def _part_made(self, evidence: str) -> Verified:
        if self.kit() is not None:
            self.complete.set()
        return Verified(evidence)


async def _close(pool: "WarmableResourcePool[Any] | None") -> None:
    from warmline.agent.call_pools import close_pool

    if pool is not None:
        await close_pool(pool)
