"""The page's sums, run in the browser with calls that were made up."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.visit import visiting

pytestmark = pytest.mark.browser

STAGES = {
    "speech_end": 1000.0, "vad_stop": 1200, "stt_final": 1230, "turn_decided": 1240, "llm_sent": 1235,
    "llm_first_token": 1300, "first_sentence": 1320, "tts_first_byte": 1350, "first_audio_sent": 1351,
}  # fmt: skip


def turn_of(
    number: int, asked_at: float, waited_ms: float, stages: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """A turn whose last loud sample is at `asked_at` on the page's clock, answered `waited_ms` later."""
    heard_at = asked_at + waited_ms
    events: list[dict[str, Any]] = [
        {"loud": asked_at},
        {"type": "user_stopped", "turn": number, "at": asked_at + 200, "t_ms": asked_at + 190},
        {"type": "audible", "turn": number, "at": heard_at},
    ]
    if stages:
        events.append({"type": "turn", "turn": number, "at": heard_at + 500, "t_ms": heard_at + 495, "stages": stages})
    return events


@pytest.fixture(scope="module")
def page(browser: Browser, agent_url: str) -> Iterator[Page]:
    """The page, idle; it serves as a place to load its modules from."""
    with visiting(browser, agent_url) as visit:
        yield visit.page


def timing_of(page: Page, events: list[dict[str, Any]]) -> Any:
    script = """async (events) => {
      const { Stopwatch } = await import("/page/stopwatch.js");
      const { timingOf } = await import("/page/timing.js");
      const stopwatch = new Stopwatch();
      for (const event of events) {
        if ("loud" in event) for (let frame = 4; frame >= 0; frame--) stopwatch.hear(event.loud - 20 * frame);
        else stopwatch.take(event);
      }
      return JSON.parse(JSON.stringify(timingOf(stopwatch)));
    }"""
    return page.evaluate(script, events)


def test_the_cold_tax_is_the_first_turn_minus_the_median_of_the_others(page: Page) -> None:
    waits = [700, 500, 900, 510, 490, 520]
    events = [event for index, wait in enumerate(waits) for event in turn_of(index + 1, 5000 * (index + 1), wait)]
    timing = timing_of(page, events)
    assert [row["totalMs"] for row in timing["turns"]] == waits
    assert (timing["medianOfOthers"]["totalMs"], timing["others"], timing["coldTaxMs"]) == (510, 5, 190)


def test_stages_fill_the_wait_and_no_millisecond_counts_twice(page: Page) -> None:
    timing = timing_of(page, turn_of(1, 1005, 380, STAGES))
    [row] = timing["turns"]
    bars = {bar["moment"]: (bar["startMs"], bar["endMs"]) for bar in row["bars"]}
    # The fastest message took 5 ms: the server's clock is laid onto the page's 5 ms late. Zero is the last sound.
    assert bars["vad_stop"] == (0, 200)
    assert bars["llm_sent"] == (240, 240), "sent before the turn was decided: no wait of its own"
    assert bars["audible"] == (351, 380)
    ends = [end for _, end in bars.values()]
    assert [start for start, _ in bars.values()] == [0, *ends[:-1]]


def test_what_is_said_after_the_silence_was_noticed_is_no_part_of_the_turn(page: Page) -> None:
    """The transcript may be a second late; a caller who goes on meanwhile does not make the wait shorter."""
    before, stopped, heard, turn = turn_of(1, 1005, 1400, STAGES)
    stopped = {**stopped, "at": 2300, "t_ms": 2295}
    timing = timing_of(page, [before, {"loud": 2200}, stopped, heard, turn])
    assert timing["turns"][0]["totalMs"] == 1400


def test_an_answer_that_was_not_heard_has_no_wait_and_counts_in_no_median(page: Page) -> None:
    unheard = [event for event in turn_of(2, 9000, 400, STAGES) if event.get("type") != "audible"]
    timing = timing_of(page, [*turn_of(1, 4000, 600), *unheard, *turn_of(3, 14000, 500)])
    assert [row["totalMs"] for row in timing["turns"]] == [600, None, 500]
    assert (timing["medianOfOthers"]["totalMs"], timing["others"], timing["coldTaxMs"]) == (500, 1, 100)


def test_a_click_after_the_last_word_is_not_the_last_sound(page: Page) -> None:
    script = """async () => {
      const { SpeechEdge } = await import("/page/speech-edge.js");
      const edge = new SpeechEdge();
      const frames = [null, 10, 30, 50, 70, 90, null, null, null, null, null, 210, null];
      for (const frame of frames) edge.push(frame);
      return [edge.lastBefore(Infinity), edge.lastBefore(90), edge.lastBefore(0)].map(String);
    }"""
    assert page.evaluate(script) == ["90", "70", "NaN"]


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_the_resampler_keeps_speech_and_drops_what_would_fold(page: Page, rate_hz: int) -> None:
    """A tone of 1 kHz comes out at its own loudness; one of 11 kHz, above what 16 kHz can carry, is 40 dB down."""
    script = """async (rateHz) => {
      const { Resampler } = await import("/page/resampler.js");
      return [1000, 11000].map((toneHz) => {
        const resampler = new Resampler(rateHz, 16000);
        const heard = [];
        for (let start = 0; start < rateHz; start += 128) {
          const at = (index) => Math.sin((2 * Math.PI * toneHz * (start + index)) / rateHz);
          heard.push(...resampler.push(Float32Array.from({ length: 128 }, (_, index) => at(index))));
        }
        const middle = heard.slice(1000, -1000);
        const rms = Math.sqrt(middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length);
        return { samples: heard.length, loudness: rms * Math.SQRT2 };
      });
    }"""
    speech, folding = page.evaluate(script, rate_hz)
    assert speech["samples"] == pytest.approx(16_000, abs=60)
    assert speech["loudness"] == pytest.approx(1, abs=0.02)
    assert folding["loudness"] < 0.01
