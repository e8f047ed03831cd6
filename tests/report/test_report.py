"""Tables, charts and pages: well-formed, escaped, and with the numbers in them."""

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmline.report import (
    Bar,
    BarPanel,
    Dot,
    DotPanel,
    DotSeries,
    Panel,
    Section,
    Step,
    WaterfallPanel,
    figure,
    html_report,
    markdown_table,
    steps_of_stages,
)
from warmline.report.axis import Axis

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert('x')</script> & \"quotes\""


def bars(label: str = "Warmline") -> BarPanel:
    return BarPanel(
        title="Greeting",
        note="n = 30",
        bars=[
            Bar(label="cold", value=1500, low=1450, high=1580, text="1500 ms"),
            Bar(label=label, value=30, low=28, high=33, text="30 ms, 50 x", series=1),
        ],
    )


def dots() -> DotPanel:
    series = DotSeries("plain", [Dot(501, 480, 530), None], 0), DotSeries("warm", [Dot(442, 430, 451)] * 2, 1)
    return DotPanel(title="V2V", note="medians", rows=["turn 1", "turn 2"], series=series)


def waterfall() -> WaterfallPanel:
    return WaterfallPanel(title="Turn 1", note="stages", steps=[Step("stt final", 0, 57), Step("llm", 57, 70)])


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("panel", [bars(), dots(), waterfall()])
def test_a_figure_is_well_formed_and_speaks_to_who_cannot_see_it(panel: Panel) -> None:
    svg = figure([panel], title="A title", description="A description")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "A title"
    assert root.findtext(f"{SVG}desc") == "A description"
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")


def test_numbers_and_labels_are_written_out() -> None:
    assert {"1500 ms", "30 ms, 50 x", "cold", "Warmline"} <= set(texts(figure([bars()], title="", description="")))
    assert {"501", "442", "plain", "warm", "turn 2"} <= set(texts(figure([dots()], title="", description="")))
    assert {"57", "13", "stt final"} <= set(texts(figure([waterfall()], title="", description="")))


def test_text_is_escaped() -> None:
    svg = figure([bars(NASTY)], title=NASTY, description=NASTY)
    assert "<script" not in svg
    assert NASTY in texts(svg)


def test_bars_are_as_long_as_their_values() -> None:
    svg = ElementTree.fromstring(figure([bars()], title="", description=""))
    cold, warm = [float(bar.get("width", 0)) for bar in svg.iter(f"{SVG}rect") if bar.get("class") != "ground"]
    assert cold / warm == pytest.approx(50, rel=0.02)


def test_panels_stand_one_under_the_other_and_inside_the_picture() -> None:
    svg = ElementTree.fromstring(figure([bars(), dots(), waterfall()], title="", description=""))
    heights = [float(text.get("y", 0)) for text in svg.iter(f"{SVG}text") if text.get("class") == "title"]
    assert heights == sorted(heights)
    assert len(set(heights)) == 3
    height = float(svg.get("height", 0))
    assert all(0 < float(text.get("y", 0)) < height for text in svg.iter(f"{SVG}text"))


def test_series_differ_by_shape_and_not_by_colour_alone() -> None:
    svg = ElementTree.fromstring(figure([dots()], title="", description=""))
    by_class: dict[str, set[str]] = {}
    for element in svg.iter():
        if element.tag in (f"{SVG}circle", f"{SVG}rect") and element.get("class") != "ground":
            by_class.setdefault(element.get("class", ""), set()).add(element.tag)
    assert by_class == {"s0": {f"{SVG}circle"}, "s1": {f"{SVG}rect"}}


@given(st.floats(1e-3, 1e6))
def test_ticks_are_few_rise_from_zero_and_stay_on_the_axis(highest: float) -> None:
    ticks = Axis(0, 100, highest).ticks()
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert ticks[-1] <= highest * 1.000001


def test_an_axis_without_extent_is_an_error() -> None:
    with pytest.raises(ValueError, match="positive"):
        Axis(0, 100, 0.0).ticks()


def test_stages_become_steps_between_them() -> None:
    steps = steps_of_stages({"llm_sent": 130.0, "speech_end": 100.0, "stt_final": 120.0})
    assert steps == [Step("stt final", 0.0, 20.0), Step("llm sent", 20.0, 30.0)]
    assert steps_of_stages({}) == []


def test_a_table_in_markdown() -> None:
    assert markdown_table(["arm", "ms"], [["cold", "1500"]]) == "| arm | ms |\n| --- | ---: |\n| cold | 1500 |\n"
    assert markdown_table(["said", "heard"], [["a", "b"]], text_columns=2).splitlines()[1] == "| --- | --- |"


def test_markup_in_a_cell_stays_text() -> None:
    table = markdown_table(["a"], [["x|y\n*z* `<b>`"]])
    assert table.splitlines()[2] == r"| x\|y \*z\* \`\<b\>\` |"


def test_a_row_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 cells under 2 headers"):
        markdown_table(["a", "b"], [["x"]])


class Tags(HTMLParser):
    """Checks that every tag is closed, and collects the text."""

    VOID = frozenset({"meta", "br", "link", "circle", "rect", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def test_a_page_is_whole_escaped_and_needs_nothing_from_elsewhere() -> None:
    svg = figure([bars()], title="t", description="d")
    section = Section(
        title=NASTY, paragraphs=[NASTY], figure=svg, headers=["arm", NASTY], rows=[["cold", "1500"], [NASTY, "1"]]
    )
    page = html_report(NASTY, [section])
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "svg" in tags.seen
    assert tags.said.count(NASTY) == 6  # title, h1, h2, paragraph, header, cell
    assert "1500" in tags.said
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
