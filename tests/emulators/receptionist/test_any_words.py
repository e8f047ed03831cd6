"""Whatever is said, in whatever order, there is an answer."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from warmline.emulators.openai.receptionist import decide
from warmline.engines import ChatMessage

from .caller import Caller

SCENARIO = Caller().scenario
PHRASES = [
    string.Template(phrase).substitute(day="friday", time="half past seven", number="four", name="anna")
    for phrases in SCENARIO.phrases.values()
    for phrase in phrases
]
TOLD_ALIKE = {"repeat", *(fact.topic.replace(" ", "_") for fact in SCENARIO.facts)}
MESSAGES = st.builds(ChatMessage, st.sampled_from(["system", "developer", "user", "assistant"]), st.text(max_size=60))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PHRASES), max_size=8))
def test_any_order_of_known_phrases(said):
    caller = Caller()
    for words in said:
        before = caller.messages[-1].content
        decision = caller.says(words)
        assert decision.reply.strip()
        assert "None" not in decision.reply
        assert "{" not in decision.reply
        assert decision.reply != before or decision.intent in TOLD_ALIKE


@settings(max_examples=60, deadline=None)
@given(st.lists(MESSAGES, max_size=8))
def test_any_messages(messages):
    decision = decide(messages)
    assert decision.reply
    assert decision == decide(messages)
