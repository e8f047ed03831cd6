"""From the settings to the engines that hear and speak. What was not chosen is not imported."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from warmline.agent.wire import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from warmline.engines import SpeechToText, TextToSpeech
    from warmline.engines.kokoro import KokoroConfig
    from warmline.engines.pocketsphinx import PocketsphinxConfig
    from warmline.engines.whisper import WhisperConfig
    from warmline.models import ModelRegistry
    from warmline.settings import Settings

__all__ = ["start_ear", "start_voice"]

_WHISPER_CORES = 4  # what CTranslate2 gives one transcription, unless told otherwise
_KOKORO_CORES = 2  # one for the worker process, one for what else a call needs


async def start_ear(
    settings: "Settings", expected: "PocketsphinxConfig", models: "ModelRegistry", *, prove: bool
) -> "tuple[SpeechToText, str]":
    """The engine that hears, and what proves that it does.

    `expected` is what callers will say: half of pocketsphinx's language model, and nothing to Whisper. `prove` False:
    ears that stand ready will each have heard a word, so pocketsphinx need not.

    Raises:
        WarmUpFailed: it did not load, or heard nothing.
    """
    if settings.ear == "whisper":
        from warmline.engines.whisper import WhisperSpeechToText

        whisper = _whisper(settings)
        return await WhisperSpeechToText.start(whisper, models), f"it heard {whisper.parallel} at once"
    from warmline.engines.pocketsphinx import PocketsphinxSpeechToText

    ear = await PocketsphinxSpeechToText.start(expected, prove=prove)
    return ear, "it heard a recorded word" if prove else "loaded"


async def start_voice(settings: "Settings") -> "tuple[TextToSpeech, str]":
    """The engine that speaks, and what proves that it does.

    Raises:
        WarmUpFailed: it did not load, or gave no audio.
    """
    if settings.voice == "kokoro":
        from warmline.engines.kokoro import KokoroTextToSpeech

        kokoro = _kokoro(settings)
        return await KokoroTextToSpeech.start(kokoro), f"it spoke, in each of {kokoro.parallel} processes"
    from warmline.engines.espeak import EspeakTextToSpeech

    return await EspeakTextToSpeech.start(settings.espeak), "it spoke"


def _whisper(settings: "Settings") -> "WhisperConfig":
    from warmline.engines.whisper import WhisperConfig

    assert settings.ear_model is not None, "the settings are checked"
    return WhisperConfig(settings.ear_model, parallel=_side_by_side(settings, _WHISPER_CORES))


def _kokoro(settings: "Settings") -> "KokoroConfig":
    from warmline.engines.kokoro import KokoroConfig, voices_beside

    assert settings.voice_model is not None, "the settings are checked"
    config = KokoroConfig(
        settings.voice_model,
        voices_beside(settings.voice_model),
        sample_rate_hz=SAMPLE_RATE_HZ,
        parallel=_side_by_side(settings, _KOKORO_CORES),
        cache_dir=settings.cache_dir / "graphs",
    )
    return config if settings.tts_voice is None else replace(config, voice=settings.tts_voice)


def _side_by_side(settings: "Settings", cores_each: int) -> int:
    return max(1, min(settings.max_calls, (os.cpu_count() or 1) // cores_each))
