import pytest

from warmline.agent.whole_phrases import WholePhrases

PHRASES = WholePhrases(
    ("a table for $number", "from $time to $time", "what are your opening hours", "$number"),
    {"number": ("two", "twenty one"), "time": ("noon", "half past one")},
)


@pytest.mark.parametrize(
    "text",
    [
        "what are your opening hours",
        "What are your  opening hours",
        "What are your opening hours?",
        "Yes, a table for two, please.",
        "a table for twenty one please",
        "yes a table for two",
        "from noon to half past one",
        "two",
    ],
)
def test_what_is_said_to_its_end(text):
    assert text in PHRASES


@pytest.mark.parametrize(
    "text", ["", "please", "what are your", "a table for", "a table for lunch", "two tables", "from noon to"]
)
def test_what_may_go_on_or_is_not_expected(text):
    assert text not in PHRASES
