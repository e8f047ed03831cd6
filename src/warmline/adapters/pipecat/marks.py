"""How the services tell when something happened, without knowing who listens."""

from collections.abc import Callable

__all__ = ["Mark", "unmarked"]

Mark = Callable[[str], None]
"""Called with the name of a stage at the moment it is reached. Must be quick and must not raise."""


def unmarked(stage: str) -> None:
    """Nobody listens."""
