"""The real server with an ear and a voice from local files: random weights hear nonsense, but they hear, and speak."""

import asyncio

import numpy as np
import pytest
import soxr

from tests.agent.loaded_modules import modules_of_a_server
from tests.agent.served import served
from tests.agent.test_a_call import ANSWERED, DATA, plan
from tests.engines.tiny_kokoro import write_parrot_kokoro
from tests.engines.tiny_whisper import write_tiny_whisper
from tests.processes import children
from warmline.events import CallEnded, WarmUpStepFinished
from warmline.measure import Caller, read_wav


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    return write_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny", seed=6)


@pytest.fixture(scope="module")
def kokoro(tmp_path_factory):
    """It says a recorded question: the rehearsal speaks to the agent in this voice, which has to pass for speech."""
    spoken = read_wav(DATA / "parking.wav").astype(np.float32) / 32_768
    model, _ = write_parrot_kokoro(tmp_path_factory.mktemp("kokoro"), soxr.resample(spoken, 16_000, 24_000))
    return model


def test_a_call_is_heard_by_whisper_and_answered_by_kokoro(tmp_path, whisper, kokoro):
    chosen = {"ear": "whisper", "ear_model": whisper, "voice": "kokoro", "voice_model": kokoro, "tts_voice": "high"}

    async def scenario():
        async with served(tmp_path, **chosen) as agent:
            return await Caller(agent.url).call(plan("parking", "phone")), agent.events

    result, events = asyncio.run(scenario())
    assert result.completed, (result.failure, result.faults, result.turns)
    for turn in result.turns:
        assert turn.transcript
        assert list(turn.stages_ms) == ANSWERED
        assert turn.v2v_ms is not None  # the answer was audible
    steps = {event.name: event for event in events if isinstance(event, WarmUpStepFinished)}
    proved = {name: (step.verified, step.error) for name, step in steps.items()}
    assert set(proved.values()) == {(True, None)}, proved
    assert list(steps).index("import whisper") < list(steps).index("recogniser")
    [called] = [event for event in events if isinstance(event, CallEnded)]
    assert [(lease.pool, lease.tier) for lease in called.leases] == [("recogniser", "warm"), ("voice", "warm")]
    assert children() == []


def test_the_command_takes_them_and_loads_in_its_own_process_what_runs_there(tmp_path, whisper, kokoro):
    models = ("--ear", "whisper", "--ear-model", str(whisper), "--voice", "kokoro", "--voice-model", str(kokoro))
    loaded = modules_of_a_server(tmp_path, *models, WARMLINE_TTS_VOICE="low")
    assert {"faster_whisper", "ctranslate2", "warmline.engines.kokoro"} <= loaded
    assert loaded & {"kokoro_onnx", "phonemizer", "pocketsphinx", "espeakng_loader", "torch", "transformers"} == set()
