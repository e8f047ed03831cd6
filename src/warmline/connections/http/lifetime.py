"""What begins and ends with a block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["Lifetime"]


class Lifetime(ABC):
    """`async with` starts it, and closes it at the end of the block."""

    @abstractmethod
    async def start(self) -> None:
        """Begin."""

    @abstractmethod
    async def aclose(self) -> None:
        """End."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.aclose()
