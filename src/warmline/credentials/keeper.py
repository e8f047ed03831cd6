"""What people use: one credential whose token is fresh before anyone asks."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from warmline.clock import SystemClock
from warmline.credentials.consumers import KeptCredential
from warmline.credentials.gate import CredentialGate
from warmline.credentials.refresher import Refresher
from warmline.credentials.snapshot import snapshot_of
from warmline.errors import CredentialClosed, CredentialError, CredentialExpired, CredentialRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from warmline.clock import Clock
    from warmline.credentials.rotation import Rotatable, Subscription
    from warmline.credentials.source import RefreshPolicy, TokenSource
    from warmline.credentials.token import Token
    from warmline.events import Event

T = TypeVar("T")

__all__ = ["TokenKeeper"]


class TokenKeeper:
    """Fetches in the background, one fetch at a time, and serves the token at hand meanwhile.

    `async with TokenKeeper(source, name="speech") as keeper:` keeps it on this loop. `current`, `token`, `get`,
    `gate`, `refused`, `snapshot` and the providers may be used from any thread or loop, the rest on the keeper's.

    Args:
        source: issues the tokens; closed with the keeper.
        name: for errors, logs, events and snapshots.
        policy: instead of the source's own.
        wait_timeout_sec: how long a consumer waits when there is no token at hand.
        on_event: called with each event, on the loop; must be quick.
        clock, wall: monotonic seconds and jitter, and Unix seconds.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        name: str = "token",
        policy: RefreshPolicy | None = None,
        wait_timeout_sec: float = 10.0,
        on_event: Callable[[Event], None] | None = None,
        clock: Clock | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.name: str = name
        self._clock: Clock = clock or SystemClock()
        self._source = source
        self._refresher = Refresher(name, source, policy or source.policy, self._clock, wall, on_event)
        self._kept = self._refresher.kept
        self._wait_timeout_sec = wait_timeout_sec
        self._runner: asyncio.Task[None] | None = None
        self._loop_thread: int | None = None
        self._closed = False

    async def start(self) -> None:
        """Begin on this loop, without waiting for a token. Harmless when called twice.

        Raises:
            CredentialClosed: it has been closed.
        """
        if self._closed:
            raise self._none()
        if self._runner is None:
            self._loop_thread = threading.get_ident()
            self._runner = asyncio.create_task(self._refresher.run(), name=f"warmline-token-{self.name}")

    async def aclose(self) -> None:
        """End every task, fail who waits, close the source. Harmless when called twice."""
        self._closed = True
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait({self._runner})
        await self._refresher.aclose()

    async def __aenter__(self) -> TokenKeeper:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # -- consumers

    def current(self) -> Token:
        """The token at hand. Never waits.

        Raises:
            CredentialError: there is none.
        """
        token = self._at_hand()
        if token is None:
            raise self._none()
        return token

    async def token(self, timeout: float | None = None) -> Token:
        """The token at hand, at once; only when there is none, the next one.

        Raises:
            CredentialError: none came within `timeout` seconds (default: `wait_timeout_sec`), or none will.
        """
        if (token := self._at_hand()) is not None:
            return token
        ends = self._waits_until(timeout)
        while self._at_hand() is None and (waiter := self._join(ends)) is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, ends - self._clock.now())):
                    await asyncio.wrap_future(waiter)
        return self.current()

    def get(self, timeout: float | None = None) -> Token:
        """`token` for consumers without a loop. Blocks only when there is none at hand, and never the keeper's loop.

        Raises:
            CredentialError: none came within `timeout` seconds, none will, or waiting would have blocked the loop.
        """
        if (token := self._at_hand()) is not None or threading.get_ident() == self._loop_thread:
            return token or self.current()
        ends = self._waits_until(timeout)
        while self._at_hand() is None and (waiter := self._join(ends)) is not None:
            with contextlib.suppress(concurrent.futures.TimeoutError):
                waiter.result(max(0.0, ends - self._clock.now()))
            waiter.cancel()
        return self.current()

    def provider(self) -> Callable[[], str]:
        """For sync clients: `AzureOpenAI(azure_ad_token_provider=keeper.provider())`."""
        return lambda: self.get().value

    def async_provider(self) -> Callable[[], Awaitable[str]]:
        """For async clients: `AsyncAzureOpenAI(azure_ad_token_provider=keeper.async_provider())`."""

        async def provide() -> str:
            return (await self.token()).value

        return provide

    def token_credential(self) -> KeptCredential:
        """For what takes an azure-core `TokenCredential`, such as the Speech SDK."""
        return KeptCredential(self)

    # -- who holds what was made with a token

    def subscribe(self, tell: Callable[[Token], Any]) -> Subscription:
        """`tell(token)` at every rotation (not for the first token), on the loop; a coroutine is awaited."""
        return self._refresher.rotations.subscribe(tell)

    def drain(self, pool: Rotatable) -> Subscription:
        """`pool.rotate()` at every rotation: its spares are replaced at once, leased resources at release."""
        return self._refresher.rotations.subscribe(lambda _: pool.rotate())

    def push_to(self, live: T, put: Callable[[T, str], Any]) -> Subscription:
        """`put(live, value)` now, or with the first token, and at every rotation, for as long as `live` exists.

        `live` is not kept alive; `put` is called on the loop and must be quick, or be a coroutine function.
        """
        return self._refresher.rotations.push_to(live, put, self._at_hand())

    # -- what others know, and want to know

    def refused(self, value: str) -> None:
        """A service answered 401 to `value`: another one is fetched at once, from a source that starts afresh."""
        with self._refresher.lock:
            self._kept.refuse(value, self._clock.now())
        self._refresher.nudge()

    async def refresh(self) -> Token:
        """What is at hand after a fetch that begins now, or after the one that runs.

        Raises:
            CredentialError: there is no token.
        """
        wanted = self._kept.counters.fetches + 1
        while self._runner is not None and not self._closed and self._refresher.ended < wanted:
            waiter = self._refresher.waiters.join()
            with self._refresher.lock:
                self._kept.want(self._clock.now())
            self._refresher.nudge()
            await asyncio.wrap_future(waiter)
        return self.current()

    @property
    def gate(self) -> CredentialGate:
        """Fit for calls?"""
        token = self._at_hand()
        if token is None:
            return CredentialGate(self.name, False, str(self._none()))
        with self._refresher.lock:
            refused, error = self._kept.refused_by_service, self._kept.last_error
        if refused:
            return CredentialGate(self.name, False, f"{self.name}: the service refuses it")
        return CredentialGate(self.name, True, trouble=f"{self.name}: {error}" if error else None)

    def snapshot(self) -> dict[str, Any]:
        """What it holds and has done, as JSON, without a secret; infinite times are None."""
        return snapshot_of(self._refresher, self.gate)

    def __repr__(self) -> str:
        return f"TokenKeeper(name={self.name!r}, source={type(self._source).__name__})"

    # -- inside

    def _at_hand(self) -> Token | None:
        return None if self._closed else self._refresher.at_hand()

    def _waits_until(self, timeout: float | None) -> float:
        with self._refresher.lock:
            self._kept.counters.waited += 1
        return self._clock.now() + (self._wait_timeout_sec if timeout is None else timeout)

    def _join(self, ends: float) -> concurrent.futures.Future[None] | None:
        """A place among the waiters; None when waiting has no point."""
        if self._closed or self._runner is None or self._clock.now() >= ends:
            return None
        waiter = self._refresher.waiters.join()
        with self._refresher.lock:
            came = self._kept.servable(self._clock.now()) is not None
            hopeless = isinstance(self._kept.last_error, CredentialRefused) and not self._kept.fetching
        if came or self._closed:
            self._refresher.waiters.wake()
        elif hopeless:
            waiter.cancel()
            return None
        self._refresher.nudge()
        return waiter

    def _none(self) -> CredentialError:
        """Why there is nothing to serve: a fresh exception for each who asks."""
        if self._closed or self._runner is None:
            return CredentialClosed("is closed" if self._closed else "is not started", credential=self.name)
        with self._refresher.lock:
            cause, had = self._kept.last_error, self._kept.token is not None
        why = str(cause) if cause else "no answer yet"
        error: CredentialError
        if had:
            error = CredentialExpired(f"the token ran out, and no other came: {why}", credential=self.name)
        else:
            error = (type(cause) if cause else CredentialError)(why, credential=self.name)
        error.__cause__ = cause
        return error
