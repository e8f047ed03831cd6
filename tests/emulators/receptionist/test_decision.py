import dataclasses
import itertools
import string

import pytest

from warmline.emulators.openai.receptionist import decide
from warmline.engines import ChatMessage

from .caller import Caller

SLOTS = {"day": "friday", "time": "seven", "number": "four", "name": "anna"}
# What callers say to a question only: alone, it means nothing.
ANSWERS = {"day", "time", "number_of_people", "caller_name", "confirm", "decline", "correct"}


def phrases():
    for intent, templates in Caller().scenario.phrases.items():
        for template in templates:
            if intent not in ANSWERS:
                yield pytest.param(string.Template(template).substitute(SLOTS), intent, id=template)


@pytest.mark.parametrize(("words", "intent"), list(phrases()))
def test_every_phrase_of_the_default_scenario_is_understood(words, intent):
    assert Caller().says(words).intent == intent


@pytest.mark.parametrize(
    "words", ["", "of the of the", "qwzx vbn", "the weather in london", "?!", "x" * 100_000, "a " * 5000]
)
def test_what_means_nothing_is_not_understood(words):
    decision = Caller().says(words)
    assert decision.intent == "unclear"
    assert "You can ask me about" in decision.reply


def test_a_caller_who_is_never_understood_hears_something_else_every_time():
    caller = Caller()
    replies = [caller.says("of the of the").reply for _ in range(6)]
    assert all(one != next_one for one, next_one in itertools.pairwise(replies))


def test_the_hint_names_topics_that_have_facts():
    caller = Caller()
    reply = caller.says("mumble").reply
    assert sum(fact.topic in reply for fact in caller.scenario.facts) == 3


@pytest.mark.parametrize("small_talk", ["hello", "how are you", "are you a robot", "thank you", "goodbye"])
def test_small_talk_does_not_repeat_itself(small_talk):
    caller = Caller()
    assert caller.says(small_talk).reply != caller.says(small_talk).reply


def test_a_fact_is_told_alike_every_time():
    caller = Caller()
    assert {caller.says("what are your opening hours").reply for _ in range(5)} == {"Noon to ten, every day."}


def test_repeating():
    caller = Caller()
    caller.says("where are you")
    assert (
        caller.says("could you repeat that please").reply
        == "Of course. Twelve River Street. We are next to the old bridge."
    )
    assert caller.says("once more please").reply == "Of course. Twelve River Street. We are next to the old bridge."


def test_thanks_with_a_question_is_a_question():
    assert Caller().says("thank you and where can i park").intent == "parking"


def test_a_users_own_scenario_of_any_topic():
    from warmline.settings import Fact

    fact = Fact("teeth cleaning", ("cleaning", "clean"), "It takes half an hour.")
    scenario = dataclasses.replace(Caller().scenario, facts=(fact,), system_prompt="A dentist: makes appointments.")
    decision = Caller(scenario).says("how long does a cleaning take")
    assert (decision.intent, decision.reply) == ("teeth_cleaning", "It takes half an hour.")


def test_facts_told_in_the_core_prompt_alone_are_known():
    prompt = "You work in a hotel.\n- breakfast: From seven to ten.\n- sauna: In the cellar."
    messages = [ChatMessage("system", prompt), ChatMessage("user", "when is breakfast please")]
    assert decide(messages).reply == "From seven to ten."


def test_nothing_is_known_that_the_messages_do_not_say():
    assert decide([ChatMessage("user", "what are your opening hours")]).intent == "unclear"


def test_no_message_of_the_caller_yet():
    assert decide([]).intent == "greeting"
    assert decide([ChatMessage("system", "x")]).reply == "Hello. How can I help you?"


def test_the_same_messages_get_the_same_decision():
    caller = Caller()
    for words in ("a table for two tomorrow at eight", "anna", "no make it nine"):
        caller.says(words)
    assert decide(caller.messages[:-1]) == decide(list(caller.messages[:-1]))


def test_a_decision_says_by_which_words_it_was_made():
    assert Caller().says("please cancel my booking").evidence == ("cancel",)
    assert "tomorrow" in Caller().says("a table for tomorrow").evidence


def test_first_sentences_are_short():
    caller = Caller()
    said = [
        "hello",
        "how are you",
        "are you a robot",
        "thanks",
        "goodbye",
        "i want to book a table for two",
        "friday",
        "eight",
    ]
    replies = [caller.says(words).reply for words in [*said, "anna", "yes", "cancel my booking", "yes"]]
    assert max(len(reply.split(". ")[0].split()) for reply in replies) <= 9
