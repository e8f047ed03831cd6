from dataclasses import dataclass

from warmline.session import Stage, TurnLog


@dataclass
class Clock:
    sec: float = 100.0

    def now(self):
        return self.sec

    def jitter(self, low, high):
        return low


def test_stages_count_from_the_accepted_call_and_come_in_their_order():
    clock = Clock()
    log = TurnLog(clock)
    clock.sec += 0.005
    log.mark(Stage.FIRST_AUDIO_SENT)
    log.mark(Stage.SESSION_OPEN)
    assert list(log.stages_ms(0).items()) == [("accepted", 0.0), ("session_open", 5.0), ("first_audio_sent", 5.0)]


def test_hearing_keeps_the_last_time_and_answering_the_first():
    clock = Clock()
    log = TurnLog(clock)
    for _ in range(2):
        clock.sec += 1
        log.mark(Stage.VAD_STOP)
    log.decide()
    for _ in range(2):
        clock.sec += 1
        log.mark(Stage.LLM_FIRST_TOKEN)
    assert log.stages_ms(1) == {"vad_stop": 2000.0, "turn_decided": 2000.0, "llm_first_token": 3000.0}


def test_a_caller_who_barges_in_is_heard_as_the_next_turn():
    clock = Clock()
    log = TurnLog(clock)
    assert log.decide() == 1
    assert log.hearing == 2
    log.mark(Stage.VAD_STOP)
    log.mark(Stage.FIRST_AUDIO_SENT)
    assert "vad_stop" not in log.stages_ms(1)
    assert "first_audio_sent" in log.stages_ms(1)
    assert log.decide() == 2


def test_a_turn_that_is_not_answered_uses_no_number():
    log = TurnLog(Clock())
    log.mark(Stage.VAD_STOP)
    log.forget_hearing()
    assert log.decide() == 1
    assert "vad_stop" not in log.stages_ms(1)


def test_the_end_of_speech_lies_before_the_vads_word():
    clock = Clock()
    log = TurnLog(clock)
    clock.sec += 1
    log.mark(Stage.SPEECH_END, earlier_ms=200)
    log.mark(Stage.VAD_STOP)
    assert log.stages_ms(1) == {"speech_end": 800.0, "vad_stop": 1000.0}
