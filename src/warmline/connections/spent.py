"""What warmth costs."""

from dataclasses import dataclass

__all__ = ["Spent"]


@dataclass(slots=True)
class Spent:
    """What warmth has cost so far.

    Attributes:
        requests: warm-ups and touches; sockets opened to be parked.
        unanswered: of them without an answer, or without one yet: a provider may bill those as well, and say nothing.
        prompt_tokens, cached_tokens, completion_tokens: of completions among them.
        billed_idle_sec: seconds of parked sessions at providers that bill for open ones.
    """

    requests: int = 0
    unanswered: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    billed_idle_sec: float = 0.0
