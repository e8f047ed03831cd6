import asyncio

import numpy as np
import pytest
from pipecat.audio.turn.base_turn_analyzer import EndOfTurnState
from pipecat.clocks.system_clock import SystemClock
from pipecat.frames.frames import (
    InputAudioRawFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.utils.asyncio.task_manager import TaskManager

from warmline.adapters.pipecat import HeardTurnStop
from warmline.adapters.pipecat.turn_end import sounds_unfinished

LOUD = InputAudioRawFrame(np.full(320, 8000, np.int16).tobytes(), 16_000, 1)
QUIET = InputAudioRawFrame(bytes(640), 16_000, 1)
STARTED, STOPPED = VADUserStartedSpeakingFrame(), VADUserStoppedSpeakingFrame()


def said(text):
    return TranscriptionFrame(text, "", "", finalized=True)


class Analyzer:
    """Gives the verdicts that it is told to, and writes down what it was asked."""

    def __init__(self, verdict, early=None):
        self.verdict = verdict
        self.early = early or verdict
        self.asked = []

    def set_sample_rate(self, rate):
        self.rate = rate

    def append_audio(self, pcm, is_speech):
        return EndOfTurnState.INCOMPLETE

    def update_vad_start_secs(self, seconds):
        pass

    def clear(self):
        pass

    async def cleanup(self):
        pass

    async def look(self, *, silence_ahead_ms):
        self.asked.append("look")
        await asyncio.sleep(0.005)
        return self.early, None

    async def analyze_end_of_turn(self):
        self.asked.append("analyze")
        return self.verdict, None


def run(analyzer, *frames, patience_sec=0.05, wait_sec=0.0, finished=()):
    """Show the frames to the strategy; returns its marks, in order, with "." at every frame."""
    happened = []

    async def scenario():
        strategy = HeardTurnStop(
            analyzer, patience_sec=patience_sec, sounds_finished=lambda text: text in finished, mark=happened.append
        )
        tasks = TaskManager(loop=asyncio.get_running_loop())
        setup = FrameProcessorSetup(
            audio_in_sample_rate=16_000,
            audio_out_sample_rate=16_000,
            clock=SystemClock(),
            task_manager=tasks,
            pipeline_worker=None,
        )
        await strategy.setup(setup)
        for frame in frames:
            happened.append(".")
            await strategy.process_frame(frame)
            await asyncio.sleep(0)
        await asyncio.sleep(wait_sec)
        await strategy.cleanup()

    asyncio.run(scenario())
    return "".join(each if each == "." else f"[{each}]" for each in happened)


COMPLETE, INCOMPLETE = EndOfTurnState.COMPLETE, EndOfTurnState.INCOMPLETE


def test_a_complete_turn_ends_with_its_transcript():
    assert run(Analyzer(COMPLETE), STARTED, LOUD, STOPPED, said("hours please")) == "....[turn_decided]"


def test_a_transcript_before_the_verdict_waits_for_it():
    assert run(Analyzer(COMPLETE), STARTED, LOUD, said("hours please"), STOPPED) == "....[turn_decided]"


def test_the_model_is_asked_while_the_vad_still_makes_sure():
    analyzer = Analyzer(COMPLETE)
    assert run(analyzer, STARTED, *[LOUD] * 3, *[QUIET] * 6, STOPPED, said("yes")).endswith("[turn_decided]")
    assert analyzer.asked == ["look"]


def test_an_early_verdict_does_not_count_when_the_caller_spoke_on():
    analyzer = Analyzer(INCOMPLETE, early=COMPLETE)
    frames = [STARTED, LOUD, *[QUIET] * 6, LOUD, LOUD, STOPPED, said("a table")]
    assert "[turn_decided]" not in run(analyzer, *frames, patience_sec=60)
    assert analyzer.asked[-1] == "analyze"


def test_an_incomplete_turn_ends_after_patience_and_not_before():
    frames = [STARTED, LOUD, STOPPED, said("a table for two")]
    assert run(Analyzer(INCOMPLETE), *frames, patience_sec=60) == "...."
    assert run(Analyzer(INCOMPLETE), *frames, patience_sec=0.01, wait_sec=0.2) == "....[turn_decided]"


def test_words_that_are_all_there_wait_for_a_quarter_of_it():
    frames = [STARTED, LOUD, STOPPED, said("a table for two")]
    assert run(Analyzer(INCOMPLETE), *frames, patience_sec=1, wait_sec=0.5) == "...."
    assert run(Analyzer(INCOMPLETE), *frames, patience_sec=1, wait_sec=0.5, finished=["a table for two"]).endswith(
        "[turn_decided]"
    )


def test_a_late_transcript_of_the_first_part_does_not_end_the_second():
    frames = [STARTED, LOUD, STOPPED, STARTED, LOUD, said("a table"), STOPPED]
    assert "[turn_decided]" not in run(Analyzer(COMPLETE), *frames)
    assert run(Analyzer(COMPLETE), *frames, said("for two")).endswith("[turn_decided]")


def test_who_speaks_on_within_the_patience_is_not_cut_off():
    frames = [STARTED, LOUD, STOPPED, said("a table for"), STARTED, LOUD]
    assert "[turn_decided]" not in run(Analyzer(INCOMPLETE), *frames, patience_sec=0.01, wait_sec=0.1)


def test_a_turn_in_which_nothing_was_said_ends_at_once_and_empty():
    assert run(Analyzer(INCOMPLETE), STARTED, LOUD, STOPPED, said(""), patience_sec=60) == "....[turn_empty]"


@pytest.mark.parametrize("text", ["i would like to book a table for", "my name is", "um", "and the"])
def test_some_words_promise_more(text):
    assert sounds_unfinished(text)


@pytest.mark.parametrize("text", ["", "a table for two", "goodbye", "what are your opening hours?"])
def test_others_do_not(text):
    assert not sounds_unfinished(text)
