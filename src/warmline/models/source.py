"""What the registry has to know of a model: how to load it, prove it, and let it go."""

from collections.abc import Hashable
from typing import Protocol, TypeVar

__all__ = ["ModelSource"]

_Weights = TypeVar("_Weights")


class ModelSource(Hashable, Protocol[_Weights]):
    """A model that can be loaded. Two sources that are equal give the same weights: a frozen dataclass serves well.

    Where equal sources may have different exercises, an attribute `proof` says what they prove: the registry exercises
    once for every different one. Without it they all prove the same.
    """

    @property
    def name(self) -> str:
        """What messages and snapshots call it."""
        ...

    def load(self) -> _Weights:
        """The weights, to be read by any number of sessions and threads, and written by none. Blocks.

        Raises:
            Exception: whatever the runtime raises; the registry wraps it.
        """
        ...

    def exercise(self, weights: _Weights) -> None:
        """Run first inferences at serving shapes and check what they gave. Blocks.

        Raises:
            WarmUpFailed: an inference gave something else than it has to.
        """
        ...

    def release(self, weights: _Weights) -> None:
        """Free what dropping the last reference would not."""
        ...
