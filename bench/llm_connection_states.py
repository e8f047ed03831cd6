"""The states in which a request finds its connection. Runs in each arm's own environment.

Waits overlap: clients that have to idle do so side by side, and while other states are measured. One request is
measured at a time, by a lock that they all share; a burst holds it as one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from llm_connection_asking import Arm, Client, Turn
from llm_connection_bare import BareSocket

__all__ = ["STATES", "Found", "Measuring", "Sample"]

_GIVE_UP_SEC = 12.0
_BARGE_IN_SEC = 0.5
_AFTER_CLOSE_SEC = 1.3
# A NAT forgets what is idle, not what is being opened.
_IDLE_BEFORE_DROP_SEC = 2.0
_AFTER_DROP_SEC = 5.0
# Who waits for a time-out waits beside the others; who does not is alone.
_APART_SEC = 0.5
_BURST = 5

# In the order of the table; the words are those of the report.
STATES = (
    "bare socket", "first", "second", "after a stream", "6 s idle", "60 s idle",
    "barge-in close", "barge-in cancel", "burst of 5", "server closed", "close race", "token refresh",
    "NAT drop, 0 s", "NAT drop, next", "NAT drop, 5 s", "30 KB, bbr", "100 KB, bbr", "30 KB, cubic", "100 KB, cubic",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """Milliseconds to the first words, or the error that the caller got in place of an answer."""

    ms: float | None
    error: str | None = None


Found = dict[str, list[Sample]]


@dataclass(slots=True)
class Measuring:
    """One arm at one distance.

    Only `wanted` states are measured. `controlled_urls` are those by which the server is reached with a known
    congestion control. `tell` asks the harness for something that only it can do to the server or the network.
    """

    arm: Arm
    base_url: str
    controlled_urls: Mapping[str, str]
    rtt_ms: int
    wanted: Collection[str]
    samples: int
    long_idle_sec: float
    can_drop: bool
    tell: Callable[[str], Awaitable[None]]
    found: Found = field(default_factory=dict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> Found:
        """All states; those that strike every connection come when nobody idles any more."""
        async with self._client() as client:
            await client.ask(_turn())  # imports and first calls of Python are not the question here
        async with asyncio.TaskGroup() as idling:
            if self._wants("60 s idle"):
                opened = asyncio.Semaphore(0)
                idling.create_task(self._idle("60 s idle", self.long_idle_sec, opened))
                for _ in range(self.samples):
                    await opened.acquire()
            await self._first_and_second()
            await self._idle("6 s idle", 6.0, asyncio.Semaphore(0))
            await self._in_conversation()
            await self._bursts()
            for control, url in self.controlled_urls.items():
                for kilobytes in (30, 100):
                    await self._large(f"{kilobytes} KB, {control}", url, kilobytes)
        await self._struck()
        return self.found

    def _wants(self, *states: str) -> bool:
        return any(state in self.wanted for state in states)

    async def _first_and_second(self) -> None:
        if not self._wants("first", "second"):
            return
        for _ in range(self.samples):
            async with self._client() as client:
                await self._measure("first", client)
                await self._measure("second", client)

    async def _idle(self, state: str, idle_sec: float, opened: asyncio.Semaphore) -> None:
        if not self._wants(state):
            return
        async with asyncio.TaskGroup() as clients:
            for _ in range(self.samples):
                clients.create_task(self._idle_one(state, idle_sec, opened))

    async def _idle_one(self, state: str, idle_sec: float, opened: asyncio.Semaphore) -> None:
        async with self._client() as client:
            await client.ask(_turn())
            opened.release()
            await asyncio.sleep(idle_sec)
            await self._measure(state, client)

    async def _in_conversation(self) -> None:
        if not self._wants("bare socket", "after a stream", "barge-in close", "barge-in cancel", "token refresh"):
            return
        cancelled = Turn(_turn().system_prompt, "cancel", cancel_after_sec=self.rtt_ms / 1000 + 0.02)
        broken_off = {"barge-in close": Turn(_turn().system_prompt, "close"), "barge-in cancel": cancelled}
        bare = await BareSocket.open(self.base_url)
        async with self._client() as client, aclosing(bare):
            for number in range(self.samples):
                await bare.ask(_turn())
                await self._measure("bare socket", bare)
                await client.ask(_turn())
                await self._measure("after a stream", client)
                for state, turn in broken_off.items():
                    await client.ask(turn)
                    await asyncio.sleep(_BARGE_IN_SEC)  # nobody interrupts by saying nothing
                    await self._measure(state, client)
                client.renew_key(f"key-{number}")
                await self._measure("token refresh", client)

    async def _bursts(self) -> None:
        if not self._wants("burst of 5"):
            return
        for _ in range(self.samples):
            async with self._client(calls=_BURST) as client, self._one_at_a_time, asyncio.TaskGroup() as calls:
                for _ in range(_BURST):
                    calls.create_task(self._record("burst of 5", client, _turn()))

    async def _large(self, state: str, url: str, kilobytes: int) -> None:
        if not self._wants(state):
            return
        turn = _turn(kilobytes)
        for _ in range(self.samples):
            async with self._client(turn.system_prompt, url=url) as client:
                await self._measure(state, client, turn)

    async def _struck(self) -> None:
        if self._wants("server closed", "close race"):
            async with self._client() as client:
                await self._closed(client)
        if self.can_drop:
            await self._dropped("NAT drop, 0 s", 0.0)
            await self._dropped("NAT drop, 5 s", _AFTER_DROP_SEC)

    async def _closed(self, client: Client) -> None:
        for _ in range(self.samples):
            await client.ask(_turn())
            await self.tell("close-idle")
            await asyncio.sleep(_AFTER_CLOSE_SEC)
            await self._measure("server closed", client)
        for _ in range(self.samples):
            await client.ask(_turn())
            await self.tell("arm-close-race")
            await self._measure("close race", client)
            await self.tell("disarm-close-race")

    async def _dropped(self, state: str, after_sec: float) -> None:
        """As many calls as samples, each with a connection that is dropped; who may keep some warm keeps as many."""
        if not self._wants(state, "NAT drop, next"):
            return
        struck, asked = asyncio.Event(), asyncio.Semaphore(0)

        async def one(number: int) -> None:
            async with self._client(calls=self.samples) as client:
                await client.ask(_turn())
                asked.release()
                await struck.wait()
                await asyncio.sleep(after_sec + (number * _APART_SEC if after_sec else 0.0))
                await self._record(state, client, _turn())
                if not after_sec:
                    await self._measure("NAT drop, next", client)

        async with asyncio.TaskGroup() as clients:
            for number in range(self.samples):
                clients.create_task(one(number))
            for _ in range(self.samples):
                await asked.acquire()
            await asyncio.sleep(_IDLE_BEFORE_DROP_SEC)
            await self.tell("drop-flows")
            struck.set()
        await self.tell("heal")

    @asynccontextmanager
    async def _client(
        self, system_prompt: str | None = None, calls: int = 1, url: str | None = None
    ) -> AsyncIterator[Client]:
        client = await self.arm(url or self.base_url, system_prompt or _turn().system_prompt, calls)
        try:
            yield client
        finally:
            await client.aclose()

    async def _measure(self, state: str, client: Client, turn: Turn | None = None) -> None:
        async with self._one_at_a_time:
            await self._record(state, client, turn or _turn())

    async def _record(self, state: str, client: Client, turn: Turn) -> None:
        try:
            async with asyncio.timeout(_GIVE_UP_SEC):
                sample = Sample(await client.ask(turn))
        except Exception as error:
            sample = Sample(None, type(error).__name__)
        self.found.setdefault(state, []).append(sample)


def _turn(kilobytes: int = 4) -> Turn:
    hours = "We are open from noon to ten every day. " * 10
    return Turn(_filled(f"You are a receptionist.\n- opening hours: {hours}\n", 1024 * kilobytes))


def _filled(text: str, length: int) -> str:
    rule = "Speak briefly, kindly, and only of this house.\n"
    return text + (rule * (length // len(rule)))[: max(0, length - len(text))]
