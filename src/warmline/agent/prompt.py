"""What the language model is told: a short core prompt always, a fact only in the turn that needs it.

Every token of a prompt costs time to first token (a prompt of 1,353 tokens has been seen to take 5.7 s on a small
local model), so the facts of a scenario stay out until the caller's words call for one. It then stands right before
those words: core prompt and history, which come first, remain the prefix that a provider's prompt cache knows.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from warmline.engines import ChatMessage
from warmline.engines.sound_alike import HEARD, phrase_likeness
from warmline.settings import Fact, Scenario

__all__ = ["core_prompt", "relevant_facts", "with_facts"]

_INTRODUCTION = "What you know about this:"
# A second fact is worth its tokens only when it is nearly as relevant as the first.
_NEARLY = 0.8
_WEAKEST = 0.3
# Nobody says more in one turn of a call; matching costs time by the word.
_MAX_WORDS = 80


def core_prompt(scenario: Scenario) -> ChatMessage:
    """The first message of every conversation: the scenario's own prompt, and the bare topics of its facts."""
    topics = ", ".join(fact.topic for fact in scenario.facts)
    return ChatMessage("system", f"{scenario.system_prompt}\nTopics: {topics}." if topics else scenario.system_prompt)


def with_facts(messages: Sequence[ChatMessage], facts: Sequence[Fact]) -> list[ChatMessage]:
    """The messages to send: `messages`, and before the caller's last words the facts that these call for.

    Pure: the history that is kept has no facts in it, so that they are sent for one turn alone. Nothing is added when
    the last message is not the caller's, or when its words call for no fact.
    """
    if not messages or messages[-1].role != "user":
        return list(messages)
    chosen = relevant_facts(messages[-1].content, facts)
    if not chosen:
        return list(messages)
    lines = [_INTRODUCTION, *(f"- {fact.topic}: {fact.text}" for fact in chosen)]
    return [*messages[:-1], ChatMessage("system", "\n".join(lines)), messages[-1]]


def relevant_facts(words: str, facts: Sequence[Fact], at_most: int = 2) -> list[Fact]:
    """The facts that `words` call for, the most relevant first.

    Words are matched as a speech recogniser may have heard them (`phrase_likeness`), so "barking" still finds parking.
    """
    heard = re.findall(r"[a-z']+", words.lower())[:_MAX_WORDS]
    ranked = sorted(((_relevance(heard, fact), place) for place, fact in enumerate(facts)), reverse=True)
    best = max(_WEAKEST, ranked[0][0].strength) if ranked else 0.0
    return [facts[place] for relevance, place in ranked[:at_most] if relevance.strength >= _NEARLY * best]


class _Relevance(NamedTuple):
    """Compared in this order: of keywords that were heard equally well, a long one is less often heard by accident."""

    strength: float
    letters: int


def _relevance(heard: Sequence[str], fact: Fact) -> _Relevance:
    return max(_Relevance(_strength(heard, keyword.split()), len(keyword)) for keyword in fact.keywords)


def _strength(heard: Sequence[str], keyword: Sequence[str]) -> float:
    """0 unless the keyword was heard; one that only resembles counts less, one of several words more."""
    alike = phrase_likeness(heard, keyword)
    return (alike - 0.7) / 0.3 * (1 + 0.25 * (len(keyword) - 1)) if alike >= HEARD else 0.0
