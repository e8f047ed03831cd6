import pytest

from warmline.agent.prompt import core_prompt, relevant_facts, with_facts
from warmline.engines import ChatMessage
from warmline.settings import Fact, load_scenario

SCENARIO = load_scenario()
HISTORY = [core_prompt(SCENARIO), ChatMessage("assistant", SCENARIO.greeting)]


def topics(words):
    return [fact.topic for fact in relevant_facts(words, SCENARIO.facts)]


def test_the_core_prompt_is_short_and_holds_no_fact():
    core = core_prompt(SCENARIO)
    assert core.role == "system"
    assert len(core.content) < 1000
    assert "Topics: opening hours, address, parking" in core.content
    assert not any(fact.text in core.content for fact in SCENARIO.facts)


def test_a_fact_stands_right_before_the_words_that_call_for_it():
    messages = with_facts([*HISTORY, ChatMessage("user", "where can i park my car")], SCENARIO.facts)
    assert messages[:2] == HISTORY
    assert messages[2].role == "system"
    assert "- parking: Yes, behind the house." in messages[2].content
    assert "opening hours" not in messages[2].content
    assert messages[3] == ChatMessage("user", "where can i park my car")


def test_what_was_added_for_one_turn_is_not_kept():
    history = [*HISTORY, ChatMessage("user", "where can i park")]
    before = list(history)
    with_facts(history, SCENARIO.facts)
    assert history == before
    later = [*history, ChatMessage("assistant", "Behind the house."), ChatMessage("user", "thank you")]
    assert with_facts(later, SCENARIO.facts) == later


@pytest.mark.parametrize(
    "messages",
    [[], HISTORY, [*HISTORY, ChatMessage("user", "i would like to book a table")], [*HISTORY, ChatMessage("user", "")]],
)
def test_nothing_is_added_where_no_fact_is_needed(messages):
    assert with_facts(messages, SCENARIO.facts) == messages


@pytest.mark.parametrize(
    ("heard", "topic"),
    [
        ("is there any barking", "parking"),
        ("what are your opening ours", "opening hours"),
        ("can you give me the dress", "address"),
        ("is it a place for began people", "vegetarian food"),
        ("what is the prize of a lunch", "prices"),
        ("can i pay with my cart", "payment"),
        ("is there a wheel chair wheelchairs ramp", "wheelchair access"),
    ],
)
def test_a_keyword_is_found_although_it_was_misheard(heard, topic):
    assert topics(heard)[:1] == [topic]


def test_the_more_specific_words_win():
    assert topics("how much is the menu")[0] == "prices"
    assert topics("is the terrace open")[0] == "terrace"
    assert topics("do you have a menu for children")[0] == "children"


def test_two_facts_at_most():
    assert len(topics("parking tram menu dogs terrace children")) == 2
    assert topics("can i bring my dog and sit on the terrace") == ["terrace", "dogs"]


def test_a_scenario_without_facts():
    assert relevant_facts("where can i park", ()) == []


def test_digits_marks_and_capitals_do_not_matter():
    assert topics("WHERE, please, is the PARKING?!") == ["parking"]


def test_a_users_own_fact():
    fact = Fact("teeth cleaning", ("cleaning", "clean teeth"), "It takes half an hour.")
    assert relevant_facts("how long does a gleaning take", [fact]) == [fact]
