"""Calls at the same time, by voices and with sentences that can be told apart: none hears or reads another."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.agent.recorded import likeness, record_call
from tests.agent.served import served
from warmline.agent.greeting import render_sentence
from warmline.engines.espeak import EspeakConfig, EspeakTextToSpeech

DATA = Path(__file__).parents[1] / "data"
# Each caller is another voice of flite: what it says, and what its answer alone contains.
CALLERS = [
    ("rms_phone_number.wav", "what is your phone number", "two three four eight"),
    ("slt_parking.wav", "where can i park my car", "behind the house"),
    ("awb_address.wav", "what is your address", "river street"),
]
TURNS = 2
ALIKE, UNLIKE = 0.9, 0.5


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=(pytest.mark.soak, pytest.mark.timeout(1200)))])
def test_three_calls_at_once_do_not_hear_each_other(tmp_path, rounds):
    """Of one server, whose ears and voices go from call to call; in each round another caller comes first."""

    async def scenario():
        voice = await EspeakTextToSpeech.start(EspeakConfig())
        try:
            async with served(tmp_path) as agent:
                for number in range(rounds):
                    callers = CALLERS[number % 3 :] + CALLERS[: number % 3]
                    recordings = await three_calls(agent, [file for file, _, _ in callers])
                    heard_own(
                        [
                            await read_own(recording, said, answer, voice)
                            for recording, (_, said, answer) in zip(recordings, callers, strict=True)
                        ]
                    )
        finally:
            await voice.aclose()

    asyncio.run(scenario())


async def three_calls(agent, files):
    """A tenth of a second apart: what they say overlaps."""
    calls = (record_call(agent, *[DATA / file] * TURNS, late_sec=0.1 * number) for number, file in enumerate(files))
    return await asyncio.gather(*calls)


async def read_own(recording, said, answer, voice):
    """What it read is its own, to the last event; returns what it heard, and the same texts spoken to nobody else."""
    greeting, *replies = recording.texts("reply")
    assert recording.texts("transcript") == [said] * TURNS
    assert [answer in reply.lower() for reply in replies] == [True] * TURNS
    others = [other for _, _, other in CALLERS if other != answer]
    assert not any(other in reply.lower() for reply in replies for other in others)
    assert recording.received_sha256() == recording.announced_sha256()
    heard = [bytes(recording.audio[turn]) for turn in sorted(recording.audio)]
    alone = [await render_sentence(voice, greeting), *[await spoken_alone(voice, reply) for reply in replies]]
    return heard, alone


def heard_own(calls):
    """Each answer is the caller's own text, spoken, and nothing like what the other callers were told."""
    for number, (heard, alone) in enumerate(calls):
        others = [pcm for other, (_, told) in enumerate(calls) if other != number for pcm in told[1:]]
        assert min(likeness(*each) for each in zip(heard, alone, strict=True)) > ALIKE
        assert max(likeness(answer, other) for answer in heard[1:] for other in others) < UNLIKE


async def spoken_alone(voice, reply):
    """The reply as nobody but the test hears it: sentence by sentence, as in a call."""
    sentences = re.split(r"(?<=[.!?])\s+", reply.strip())
    return b"".join([pcm for sentence in sentences async for pcm in voice.synthesize(sentence)])
