"""The page in a real browser, at a real agent."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visit import ANSWER_LIMIT_MS, Visit, visiting
from warmline.settings import load_scenario

pytestmark = pytest.mark.browser

AUDIBLE = 0.05  # -26 dBFS


def test_a_caller_asks_by_voice_and_hears_the_answer(browser: Browser, agent_url: str) -> None:
    """The whole way by keyboard: connect, be greeted, ask, be answered, read the timing, hang up."""
    scenario = load_scenario()
    [hours] = [fact.text for fact in scenario.facts if fact.topic == "opening hours"]
    with visiting(browser, agent_url) as visit:
        transcript = visit.page.get_by_role("log", name="Transcript")
        connect_by_keyboard(visit)
        expect(transcript).to_contain_text(scenario.greeting)
        expect(transcript).to_contain_text(hours, timeout=ANSWER_LIMIT_MS)
        visit.wait_for_event("turn", turn=1)
        assert_heard(visit)
        assert_measured(visit)
        assert_drawn(visit)
        assert visit.state("counters")["framesDropped"] == 0
        visit.hang_up()
        assert visit.state("phase") == "ended"
        assert visit.events("closed")[0]["code"] == 1000
        expect(visit.page.get_by_role("button", name="Connect")).to_be_focused()
        assert_fits(visit, width=320)
        visit.assert_clean()


def connect_by_keyboard(visit: Visit) -> None:
    visit.page.keyboard.press("Tab")
    button = visit.page.get_by_role("button", name="Connect")
    expect(button).to_be_focused()
    assert button.evaluate("(node) => getComputedStyle(node).outlineStyle") != "none"
    visit.page.keyboard.press("Enter")
    visit.wait_for_phase("in-call")
    expect(visit.page.get_by_role("button", name="Hang up")).to_be_focused()


def assert_heard(visit: Visit) -> None:
    """Sound in both directions: the caller's at the microphone, the greeting's and the answer's at the loudspeaker."""
    levels = visit.state("levels")
    assert sum(level["peak"] > AUDIBLE for level in levels["microphone"]) > 10
    for turn in (0, 1):
        heard_at = next(event["at"] for event in visit.events("audible") if event["turn"] == turn)
        assert sum(level["peak"] > AUDIBLE for level in levels["agent"] if level["at"] > heard_at - 50) > 10


def assert_measured(visit: Visit) -> None:
    """Click, socket, sound, in this order; and the first turn from the caller's last sound to the answer's first."""
    [clicked], [opened] = visit.events("click"), visit.events("socket_open")
    assert clicked["at"] < opened["at"] < visit.events("audible")[0]["at"]
    timing = visit.state("timing")
    for row in (timing["greeting"], timing["turns"][0]):
        assert row["atEar"]
        assert row["staged"]
        assert row["bars"][-1]["endMs"] == row["totalMs"]
    assert [bar["moment"] for bar in timing["turns"][0]["bars"]][-2:] == ["first_audio_sent", "audible"]


def assert_drawn(visit: Visit) -> None:
    """The waterfall for the eye, the same as tables."""
    chart = visit.page.get_by_role("img", name="Waterfall of waits")
    expect(chart.locator(".row-name", has_text=re.compile("^(Greeting|Turn 1)$"))).to_have_count(2)
    assert chart.locator(".row-first .bar").count() >= 9
    visit.page.get_by_text("The same numbers as a table").click()
    turns = visit.page.get_by_role("table", name="Turns")
    expect(turns.get_by_role("row", name=re.compile(r"^Whole wait [\d.]+"))).to_be_visible()
    visit.page.get_by_role("button", name="Hang up").focus()


def assert_fits(visit: Visit, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 700})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


def test_idle_everything_has_a_name(browser: Browser, agent_url: str) -> None:
    with visiting(browser, agent_url, color_scheme="dark", viewport={"width": 320, "height": 700}) as visit:
        expect(visit.page.locator("body")).to_match_aria_snapshot("""
            - banner:
              - paragraph: Warmline
              - paragraph:
                - status: Not connected
            - main:
              - region "Pick up and talk.":
                - heading "Pick up and talk." [level=1]
                - paragraph
                - meter "Your microphone level"
                - button "Connect"
                - meter "Agent voice level"
              - region "What each answer cost":
                - heading "What each answer cost" [level=2]
                - paragraph
        """)
        assert_fits(visit, width=320)
        visit.assert_clean()
        assert_read_only(visit)


def assert_read_only(visit: Visit) -> None:
    assert visit.page.evaluate("() => { try { window.warmline = 1 } catch {} return window.warmline.phase }") == "idle"
    assert visit.page.evaluate("() => Object.isFrozen(window.warmline)")
    assert visit.page.evaluate("() => { window.warmline.events.push(1); return window.warmline.events.length }") == 0


def test_a_caller_too_many_is_told_so(browser: Browser, agent_url: str) -> None:
    with visiting(browser, agent_url) as first, visiting(browser, agent_url) as second:
        first.page.get_by_role("button", name="Connect").click()
        first.wait_for_phase("in-call")
        second.page.get_by_role("button", name="Connect").click()
        expect(second.page.get_by_role("alert")).to_contain_text("All lines are busy.")
        assert second.state("phase") == "failed"
        first.hang_up()


def test_without_a_microphone_the_caller_is_told_what_to_do(browser: Browser, agent_url: str) -> None:
    with visiting(browser, agent_url, microphone=False) as visit:
        visit.page.context.grant_permissions([])
        visit.page.get_by_role("button", name="Connect").click()
        expect(visit.page.get_by_role("alert")).to_contain_text("The microphone was not allowed.")
        assert visit.events("socket_open") == []


# What Firefox does with every context whose rate is not the microphone's.
REFUSE_OTHER_RATES = """
const join = AudioContext.prototype.createMediaStreamSource;
AudioContext.prototype.createMediaStreamSource = function (stream) {
  if (this.sampleRate === 16000) throw new DOMException("another rate", "NotSupportedError");
  window.joinedAtHz = this.sampleRate;
  return join.call(this, stream);
};
"""


def test_a_microphone_of_another_rate_is_brought_to_the_wires(browser: Browser, agent_url: str) -> None:
    with visiting(browser, agent_url, script=REFUSE_OTHER_RATES) as visit:
        visit.page.get_by_role("button", name="Connect").click()
        visit.wait_for_event("user_started", turn=1)
        assert visit.page.evaluate("window.joinedAtHz") != 16000
        visit.hang_up()
        visit.assert_clean()


def test_less_motion_means_no_running_line(browser: Browser, agent_url: str) -> None:
    with visiting(browser, agent_url) as visit:
        visit.page.evaluate("document.body.dataset.phase = 'in-call'")
        expect(visit.page.locator("#line")).to_be_visible()
        visit.page.emulate_media(reduced_motion="reduce")
        expect(visit.page.locator("#line")).to_be_hidden()
        expect(visit.page.get_by_role("meter", name="Agent voice level")).to_be_visible()
