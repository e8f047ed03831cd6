"""A caller of the default scenario, by text: what `warmline serve` sends to its language model, without the network."""

from functools import cache

from warmline.agent.prompt import core_prompt, with_facts
from warmline.emulators.openai.receptionist import Decision, decide
from warmline.engines import ChatMessage
from warmline.settings import Scenario, load_scenario


@cache
def _default_scenario() -> Scenario:
    return load_scenario()


class Caller:
    """Says things and keeps the conversation."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.scenario = scenario or _default_scenario()
        self.messages = [core_prompt(self.scenario), ChatMessage("assistant", self.scenario.greeting)]

    def says(self, words: str, *, hears: str | None = None) -> Decision:
        """One turn; `hears` is what the caller heard of the answer, if it was not all."""
        self.messages.append(ChatMessage("user", words))
        decision = decide(with_facts(self.messages, self.scenario.facts))
        self.messages.append(ChatMessage("assistant", decision.reply if hears is None else hears))
        return decision
