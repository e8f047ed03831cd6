"""The chart of a warm-up has every step in it, where it ran."""

from xml.etree import ElementTree

from tests.startup.test_twelve_steps import run_it
from warmline.report import gantt_svg
from warmline.report.axis import Axis
from warmline.startup import Plan, Step
from warmline.testing import run_virtual

SVG = "{http://www.w3.org/2000/svg}"
WALL_SEC = 12


def test_every_step_is_a_bar_from_its_beginning_to_its_end() -> None:
    report, _ = run_virtual(run_it())
    root = ElementTree.fromstring(gantt_svg(report, "Start <of> the agent"))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "Start <of> the agent" in texts
    assert {step.name for step in report.steps} <= set(texts)
    assert "blocked" in texts
    axis = Axis(210, 610, WALL_SEC)
    rects = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") != "ground"]
    bars = [(float(rect.get("x", 0)), float(rect.get("width", 0))) for rect in rects]
    for step in report.steps:
        if step.start_sec is not None:
            left, right = axis.x(step.start_sec), axis.x(step.start_sec + step.took_sec)
            assert any(abs(x - left) < 0.02 and abs(w - (right - left)) < 0.02 for x, w in bars), step.name
    assert len(bars) == 11  # all but the one that was blocked
    assert len([line for line in root.iter(f"{SVG}line") if line.get("class") == "whisker"]) == 3  # one waited


def test_the_critical_path_is_told_in_words_too() -> None:
    report, _ = run_virtual(run_it())
    description = ElementTree.fromstring(gantt_svg(report)).findtext(f"{SVG}desc") or ""
    assert "token -> connection -> rehearsal, 11.00 s" in description
    bold = [t.text for t in ElementTree.fromstring(gantt_svg(report)).iter(f"{SVG}text") if t.get("class") == "value"]
    assert set(bold) == {"token", "connection", "rehearsal"}


def test_a_plan_that_took_no_time_can_be_drawn() -> None:
    async def main() -> str:
        async with Plan([Step(name="instant", run=lambda: True)]) as warm_up:
            return gantt_svg(await warm_up.finished())

    assert "instant" in [t.text for t in ElementTree.fromstring(run_virtual(main())).iter(f"{SVG}text")]


def test_a_plan_without_steps_can_be_drawn() -> None:
    async def main() -> str:
        async with Plan() as warm_up:
            return gantt_svg(await warm_up.finished())

    assert "0 steps" in run_virtual(main())
