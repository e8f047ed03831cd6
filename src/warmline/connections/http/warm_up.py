"""What is sent over a connection to prove it: the strategies, and the connection that they are pinned to."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from warmline.connections.spent import Spent

__all__ = ["PINNED", "WarmUp", "pinned_to", "shared_as"]

PINNED: ContextVar[Any] = ContextVar("warmline_pinned_connection", default=None)
"""The connection that requests of this context go over, whatever the pool would have chosen."""


@contextmanager
def pinned_to(connection: object) -> Iterator[None]:
    """Requests inside go over `connection`."""
    token = PINNED.set(connection)
    try:
        yield
    finally:
        PINNED.reset(token)


class WarmUp(Protocol):
    """Proves a connection by a complete response on it.

    Called with the connection pinned. What it raises is looked at only when no complete response came: an answer that
    refuses (a wrong key, an exhausted quota) proves the connection all the same, and is reported as what it is.

    It may have an attribute `shared_as`: transports whose warm-ups are equal in it share connections. Without one,
    those that have this very object do.
    """

    any_answer: ClassVar[bool]
    """A refusal is as good as any answer; else it is reported.

    Two more may be there: `generates`, for a warm-up that waits for a model, and `subject`, its name in the log."""

    async def prove(self, spent: Spent) -> None:
        """Send over a connection that was just opened."""
        ...

    async def touch(self, spent: Spent) -> None:
        """Send something light over an idle one."""
        ...


def shared_as(warm_up: WarmUp | None) -> Hashable:
    """Equal for warm-ups that may stand in for one another: the same request, on behalf of the same principal."""
    known: Hashable = getattr(warm_up, "shared_as", None)
    return id(warm_up) if warm_up is not None and known is None else known
