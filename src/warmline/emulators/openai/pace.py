"""How long a simulated model takes: to read the prompt, and from token to token."""

from dataclasses import dataclass

__all__ = ["Pace"]


@dataclass(frozen=True, slots=True)
class Pace:
    """The defaults are those of a fast model nearby: they keep the shape of a real one without its cost."""

    first_token_ms: float = 0.0
    prefill_us_per_token: float = 20.0
    token_interval_ms: float = 2.0

    def prefill_sec(self, prompt_tokens: int) -> float:
        """From the request to the first token."""
        return self.first_token_ms / 1e3 + prompt_tokens * self.prefill_us_per_token / 1e6

    def interval_sec(self) -> float:
        """From one token to the next."""
        return self.token_interval_ms / 1e3
