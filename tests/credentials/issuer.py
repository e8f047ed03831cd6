"""An issuer of tokens on virtual time, and the service that accepts them while they last."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any, Literal

from warmline.credentials import IssuedToken, RefreshPolicy, TokenKeeper
from warmline.errors import CredentialError, CredentialRefused, CredentialUnreachable

if TYPE_CHECKING:
    from tests.credentials.endpoint import TokenEndpoint
    from warmline.testing import VirtualTimeLoop

Down = Literal["error", "hang", "deaf", "refuse"]
UNIX_SEC = 1_800_000_000.0


class Issuer:
    """A token source: each fetch takes `latency_sec` and gives a token that the service accepts for `lifetime_sec`.

    With `states_expiry` it says when a token ends by its own clock, `skew_sec` ahead of the machine's, otherwise how
    long it lasts. `outages` are (from, to, how) in virtual seconds. `slept_sec` is what the wall clock alone saw.
    """

    def __init__(self, lifetime_sec: float = 600.0, **options: Any) -> None:
        self.lifetime_sec = lifetime_sec
        self.latency_sec: float = options.pop("latency_sec", 0.2)
        self.skew_sec: float = options.pop("skew_sec", 0.0)
        self.states_expiry: bool = options.pop("states_expiry", False)
        self.outages: list[tuple[float, float, Down]] = options.pop("outages", [])
        self.policy = options.pop("policy", RefreshPolicy())
        assert not options
        self.slept_sec = 0.0
        self.fetches = self.in_flight = self.most_in_flight = self.renewed = 0
        self.closed = False
        self.ends: dict[str, float] = {}  # by true time
        self._numbers = itertools.count(1)

    def true_time(self) -> float:
        """Virtual seconds, sleep included."""
        return asyncio.get_running_loop().time() + self.slept_sec

    def wall(self) -> float:
        """The machine's wall clock."""
        return UNIX_SEC + self.true_time()

    def accepts(self, value: str) -> bool:
        """What the service says now."""
        return self.true_time() < self.ends.get(value, 0.0)

    async def fetch(self) -> IssuedToken:
        self.fetches += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._fetch()
        finally:
            self.in_flight -= 1

    async def _fetch(self) -> IssuedToken:
        match self._down():
            case "hang":
                await asyncio.sleep(3600)
            case "deaf":
                await deaf_sleep(40)
            case "refuse":
                raise CredentialRefused("wrong key")
        await asyncio.sleep(self.latency_sec)
        if self._down():
            raise CredentialUnreachable("down")
        return self.issue()

    def issue(self) -> IssuedToken:
        """Another token, valid from now."""
        value = f"token-{next(self._numbers)}"
        self.ends[value] = self.true_time() + self.lifetime_sec
        if not self.states_expiry:
            return IssuedToken(value=value, lifetime_sec=self.lifetime_sec)
        return IssuedToken(value=value, expires_on=self.wall() + self.skew_sec + self.lifetime_sec)

    def _down(self) -> Down | None:
        now = self.true_time()
        return next((how for start, end, how in self.outages if start <= now < end), None)

    def renew(self) -> None:
        self.renewed += 1

    async def aclose(self) -> None:
        self.closed = True


async def deaf_sleep(seconds: float) -> None:
    """Cannot be cancelled."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while loop.time() < ends:
        try:
            await asyncio.sleep(ends - loop.time())
        except asyncio.CancelledError:
            continue


def keep(issuer: Issuer, **options: Any) -> TokenKeeper:
    """A keeper on the running virtual loop."""
    loop: VirtualTimeLoop = asyncio.get_running_loop()  # type: ignore[assignment]
    return TokenKeeper(issuer, clock=loop.clock, wall=issuer.wall, **options)


class Load:
    """Requests that go on, each arriving `travel_sec` after it took its token."""

    def __init__(
        self, keeper: TokenKeeper, issuer: Issuer | TokenEndpoint, *, travel_sec: float = 0.15, seed: int = 0
    ) -> None:
        self.keeper, self.issuer, self.travel_sec = keeper, issuer, travel_sec
        self.random = random.Random(seed)
        self.requests = self.refused = self.failed = 0

    async def until(self, virtual_sec: float, *, every_sec: float = 1.0) -> None:
        """Run to that time."""
        async with asyncio.TaskGroup() as tasks:
            while asyncio.get_running_loop().time() < virtual_sec:
                await asyncio.sleep(self.random.uniform(0.0, 2 * every_sec))
                tasks.create_task(self._request())

    async def _request(self) -> None:
        self.requests += 1
        try:
            token = await self.keeper.token()
        except CredentialError:
            self.failed += 1
            return
        await asyncio.sleep(self.travel_sec)
        self.refused += not self.issuer.accepts(token.value)

    def assert_nobody_noticed(self) -> None:
        """No 401, nobody waited, one fetch at a time."""
        waited = self.keeper.snapshot()["counters"]["waited"]
        seen = (self.refused, self.failed, waited, self.issuer.most_in_flight)
        assert seen == (0, 0, 0, 1), f"401s, failures, waits, fetches at a time: {seen}"
