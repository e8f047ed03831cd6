"""Proves the connections of one origin by warm-ups, paces them, and tells what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from warmline.connections.http.proof_pace import ProofPace
from warmline.connections.http.trouble import in_one_line
from warmline.connections.http.warm_up import WarmUp, pinned_to
from warmline.connections.spent import Spent
from warmline.errors import WarmUpFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from warmline.connections.http.settings import WarmSettings

__all__ = ["KeptConnection", "Prover"]

logger: logging.Logger = logging.getLogger("warmline.connections")

REMEMBERED_ROUND_TRIPS = 8


class KeptConnection(Protocol):
    """What an origin needs to know of a connection, of whatever library."""

    alive: asyncio.Future[None]
    exchanges: int
    verified_upload_bytes: int
    last_status: int
    leased: bool
    round_trip_ms: float | None
    began_at_sec: float
    proven_at_sec: float

    @property
    def fell_silent(self) -> bool:
        """It died of silence."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


class Prover:
    """Sends warm-ups over connections, and knows whether they are being answered.

    Args:
        name: of the origin, for the log.
        again: called when more connections may be proven.
        news: called when one has been.

    Attributes:
        spent: what warmth has cost.
        round_trips_ms: of the last warm-up requests, from sent to answered, the server's own time included.
        refused_status: with which the last was refused; 0 when it was not.
    """

    def __init__(self, name: str, settings: WarmSettings, again: Callable[[], None], news: Callable[[], None]) -> None:
        self.name = name
        self.spent: Spent = Spent()
        self.round_trips_ms: deque[float] = deque(maxlen=REMEMBERED_ROUND_TRIPS)
        self.refused_status: int = 0
        self._settings = settings
        self._again = again
        self._news = news
        self._warm_ups: dict[object, Callable[[], WarmUp | None]] = {}
        self._pace = ProofPace(settings.touch_interval_sec)
        self._proofs: list[_Proof] = []
        self._retry: asyncio.TimerHandle | None = None
        self._troubled: bool | None = None
        self._closed = False

    def add_warm_up(self, owner: object, warm_up: Callable[[], WarmUp | None]) -> None:
        """The latest of those who hold this origin says how its connections are proven.

        `warm_up()` is None where nothing is sent, or its client is gone: a client that was dropped is not kept alive.
        """
        self._warm_ups[owner] = warm_up

    def drop_warm_up(self, owner: object) -> None:
        """`owner` has left."""
        self._warm_ups.pop(owner, None)

    def close(self) -> None:
        """Try and tell no more."""
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()

    @property
    def failing(self) -> bool:
        """The last warm-up on a fresh connection had no complete answer."""
        return self._pace.failing

    @property
    def may_try(self) -> bool:
        """Another connection may be proven now."""
        return self._pace.may_try(asyncio.get_running_loop().time())

    async def prove(self, connection: Any) -> bool:
        """False when it is of no use any more: something was sent, and no complete answer came."""
        loop = asyncio.get_running_loop()
        began_at, began_before = loop.time(), connection.began_at_sec
        proof: _Proof | None = None
        self._pace.begin()
        try:
            async with self._bounded(self._settings.open_timeout_sec) as proof:
                await self._send(connection, touch=bool(connection.exchanges))
        except (WarmUpFailed, TimeoutError) as error:
            if proof is not None and proof.called_off:
                self._pace.withdraw()
                return False
            late = WarmUpFailed(f"no complete answer after {loop.time() - began_at:.1f} s")
            self._failed(late if isinstance(error, TimeoutError) else error, began_at)
            return isinstance(error, WarmUpFailed) and connection.began_at_sec == began_before
        except BaseException:
            self._pace.withdraw()
            raise
        self._succeeded()
        return True

    def _failed(self, error: Exception, began_at: float) -> None:
        loop = asyncio.get_running_loop()
        self.tell_trouble(error)
        pause_sec = self._pace.fail(began_at, loop.time())
        if pause_sec is not None:
            if self._retry is not None:
                self._retry.cancel()
            self._retry = loop.call_later(pause_sec, self._again)

    def _succeeded(self) -> None:
        loop = asyncio.get_running_loop()
        if self._pace.succeed():
            loop.call_soon(self._again)
        loop.call_soon(self._news)  # when it is back in the pool
        if self._troubled is not False and self.warm_up is not None:
            logger.info("%s connection warmed successfully", self._subject)
        self._troubled = False

    def tell_trouble(self, error: BaseException) -> None:
        """Once, until a warm-up succeeds."""
        if not self._troubled and not self._closed:
            self._troubled = True
            logger.warning("%s warm-up failed: %s (%s)", self._subject, in_one_line(error), self.name)

    def call_off_one(self) -> None:
        """Somebody waits for a connection that a warm-up holds."""
        for proof in self._proofs:
            if not proof.called_off:
                proof.call_off()
                return

    async def touch(self, connection: Any) -> None:
        """Something light, over one that is proven.

        Raises:
            WarmUpFailed, TimeoutError: no complete answer.
        """
        async with self._bounded(self._settings.touch_timeout_sec):
            await self._send(connection, touch=True)

    @contextlib.asynccontextmanager
    async def _bounded(self, limit_sec: float) -> AsyncIterator[_Proof]:
        """A warm-up, with a limit, that can be called off."""
        slow = getattr(self.warm_up, "generates", False)
        async with asyncio.timeout(self._settings.prime_timeout_sec if slow else limit_sec) as limit:
            proof = _Proof(limit)
            self._proofs.append(proof)
            try:
                yield proof
            finally:
                self._proofs.remove(proof)

    async def _send(self, connection: KeptConnection, *, touch: bool) -> None:
        warm_up = self.warm_up
        if warm_up is None:
            return
        before, failure = connection.exchanges, None
        connection.last_status = 0
        self.spent.requests += 1
        self.spent.unanswered += 1
        try:
            with pinned_to(connection):
                await (warm_up.touch(self.spent) if touch else warm_up.prove(self.spent))
        except Exception as error:
            failure = error
        self.spent.unanswered -= connection.last_status != 0
        if connection.exchanges == before:
            raise WarmUpFailed(_what_came(connection.last_status)) from failure
        if connection.round_trip_ms is not None:
            self.round_trips_ms.append(connection.round_trip_ms)
        self._look_at(0 if warm_up.any_answer else connection.last_status)

    def _look_at(self, status: int) -> None:
        refused = status if status >= 400 else 0
        if refused and refused != self.refused_status:
            logger.warning("[%s] connected, but the warm-up request was refused: HTTP %d", self.name, refused)
        self.refused_status = refused

    @property
    def warm_up(self) -> WarmUp | None:
        """The latest of those that are held; None where nothing is sent."""
        known = (warm_up() for warm_up in reversed(self._warm_ups.values()))
        return next((each for each in known if each is not None), None)

    @property
    def _subject(self) -> str:
        return str(getattr(self.warm_up, "subject", self.name))


class _Proof:
    """A warm-up that runs."""

    def __init__(self, limit: asyncio.Timeout) -> None:
        self.called_off = False
        self._limit = limit

    def call_off(self) -> None:
        """Somebody needs the place."""
        self.called_off = True
        self._limit.reschedule(asyncio.get_running_loop().time())


def _what_came(status: int) -> str:
    if status:
        return f"the server answered with HTTP {status}, and closed the connection or did not end its answer"
    return "no complete answer"
