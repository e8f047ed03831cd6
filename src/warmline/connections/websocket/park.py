"""Parked sockets by profile: opened ahead, watched, retired in time, adopted by one call each."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from warmline.connections.spent import Spent
from warmline.connections.websocket.parked_socket import ParkedSocket
from warmline.errors import ConfigError
from warmline.pool import PoolGroup, PoolSnapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

__all__ = ["ParkSettings", "SocketPark"]

P = TypeVar("P", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkSettings:
    """How many sockets stand ready, and for how long.

    Attributes:
        floor: parked sockets a profile. max_sockets: all profiles, those in calls included.
        session_limit_sec: after which the provider ends a session; OpenAI documents 60 minutes for Realtime.
        call_sec: the longest call that a socket must still serve when it is adopted; a parked one is replaced before
            less than that is left.
        ping_interval_sec: a ping to each parked socket.
        open_timeout_sec: opening and configuring one.
        forget_after_sec: parked sockets of a profile are let go so long after it was last prepared, waited for or
            adopted; infinite keeps them.
        billed_when_idle: the provider bills for open sessions; then parked seconds are counted as cost.

    Raises:
        ConfigError: no time is left to park; `forget_after_sec` is not positive.
    """

    floor: int = 1
    max_sockets: int = 16
    session_limit_sec: float = 3600.0
    call_sec: float = 1200.0
    ping_interval_sec: float = 20.0
    open_timeout_sec: float = 15.0
    forget_after_sec: float = 600.0
    billed_when_idle: bool = False

    def __post_init__(self) -> None:
        if self.call_sec >= self.session_limit_sec:
            raise ConfigError(
                f"call_sec={self.call_sec:g}: expected less than session_limit_sec={self.session_limit_sec:g}"
            )
        if not self.forget_after_sec > 0:
            raise ConfigError(f"forget_after_sec={self.forget_after_sec:g}: expected more than 0 seconds")


class SocketPark(Generic[P]):
    """A `PoolGroup` of sockets, each used for one call and then closed: a session keeps what was said in it.

    Args:
        opener: opens a socket for a profile, with the credentials of the moment, and configures it: what it returns
            is proven, by an answer, to be ready for the first word.

    Attributes:
        spent: sockets opened, and the seconds that they were parked where that is billed.
    """

    def __init__(self, opener: Callable[[P], Awaitable[ParkedSocket]], settings: ParkSettings | None = None) -> None:
        self.settings: ParkSettings = settings or ParkSettings()
        self.spent: Spent = Spent()
        self._opener = opener
        self._group: PoolGroup[P, ParkedSocket] = PoolGroup(
            self._knobs,
            max_size=self.settings.max_sockets,
            name="parked-sockets",
            forget_after_sec=self.settings.forget_after_sec,
        )

    async def prepare(self, profile: P) -> None:
        """Begin to park sockets of this profile, in the background, until nobody uses it for `forget_after_sec`."""
        await self._group.pool(profile)

    async def wait_warm(self, profile: P, n: int | None = None, timeout: float = 15.0) -> bool:
        """True once `n` sockets of this profile are parked (default: the floor)."""
        return await (await self._group.pool(profile)).wait_warm(n, timeout)

    @asynccontextmanager
    async def adopt(
        self, profile: P, session_id: str | None = None, timeout: float | None = None
    ) -> AsyncIterator[ParkedSocket]:
        """A socket for one call, closed at its end; another is parked at once.

        Raises:
            PoolTimeout, PoolSaturated, CreateFailed, PoolClosed: as their names say.
        """
        async with await self._group.lease(profile, session_id, timeout) as lease:
            self._count(lease.resource)
            await lease.resource.adopt()
            yield lease.resource

    async def rotate(self) -> None:
        """Credentials or settings changed: parked sockets are replaced; those in calls go with their calls."""
        for profile in self._group.profiles:
            await (await self._group.pool(profile)).rotate()

    def snapshot(self) -> dict[P, PoolSnapshot]:
        """One a profile."""
        return self._group.snapshot()

    async def aclose(self) -> None:
        """Close every socket."""
        await self._group.shutdown(0.0)

    async def __aenter__(self) -> SocketPark[P]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _knobs(self, profile: P) -> Mapping[str, Any]:
        settings = self.settings

        async def opener() -> ParkedSocket:
            self.spent.requests += 1
            socket = await self._opener(profile)
            socket.park()
            return socket

        return {
            "factory": opener,
            "warm_pool_size": settings.floor,
            "keepalive_fn": ParkedSocket.ping,
            "validate_fn": ParkedSocket.ping,
            "close_fn": self._close,
            "recycle": False,
            "create_timeout_sec": settings.open_timeout_sec,
            "keepalive_interval_sec": settings.ping_interval_sec,
            "max_lifetime_sec": settings.session_limit_sec - settings.call_sec,
        }

    async def _close(self, socket: ParkedSocket) -> None:
        self._count(socket)
        await socket.aclose()

    def _count(self, socket: ParkedSocket) -> None:
        """Once a socket: its parking is over."""
        if socket.parked_at_sec is not None and self.settings.billed_when_idle:
            self.spent.billed_idle_sec += asyncio.get_running_loop().time() - socket.parked_at_sec
        socket.parked_at_sec = None
