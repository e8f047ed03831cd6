"""Parked Realtime sessions, with the real SDK over a real WebSocket."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import openai
import pytest
from websockets.asyncio.server import serve

from tests.connections.conftest import until
from warmline.connections.websocket import ParkSettings, RealtimeProfile, SocketPark, park_realtime
from warmline.errors import ConfigError, CreateFailed, PoolTimeout, WarmUpFailed

PROFILE = RealtimeProfile.of("gpt-realtime", {"type": "realtime", "instructions": "Be brief."})


class Realtime:
    """What of the protocol a warm-up and one answer need."""

    def __init__(self):
        self.sockets = []
        self.updates = []
        self.keys = []
        self.refuse = False

    async def handle(self, socket):
        self.sockets.append(socket)
        self.keys.append(socket.request.headers["Authorization"])
        await socket.send(json.dumps({"type": "session.created", "session": {}}))
        async for message in socket:
            event = json.loads(message)
            if event["type"] == "session.update" and self.refuse:
                await socket.send(json.dumps({"type": "error", "error": {"code": "bad_voice", "message": "secret"}}))
            elif event["type"] == "session.update":
                self.updates.append(event["session"])
                await socket.send(json.dumps({"type": "session.updated", "session": event["session"]}))
            elif event["type"] == "response.create":
                await socket.send(json.dumps({"type": "response.output_text.delta", "delta": "hello"}))

    @property
    def open(self):
        return [socket for socket in self.sockets if socket.state.name == "OPEN"]


@asynccontextmanager
async def parked(**settings):
    realtime = Realtime()
    async with serve(realtime.handle, "127.0.0.1", 0, ping_interval=None) as server:
        url = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with (
            openai.AsyncOpenAI(api_key="k", base_url=f"http://{url}/v1") as client,
            park_realtime(client, ParkSettings(**settings)) as park,
        ):
            yield realtime, park, client
        await until(lambda: not realtime.open)


async def first_delta(socket):
    await socket.client.response.create()
    async for event in socket.client:
        return event.delta


def test_a_call_adopts_a_socket_that_is_open_and_configured():
    async def main():
        async with parked(floor=2) as (realtime, park, _):
            assert await park.wait_warm(PROFILE)
            assert realtime.updates == [{"type": "realtime", "instructions": "Be brief."}] * 2
            async with park.adopt(PROFILE, "call-1") as socket:
                assert [json.loads(event)["type"] for event in socket.events] == ["session.created", "session.updated"]
                assert await first_delta(socket) == "hello"
                metrics = park.snapshot()[PROFILE]["metrics"]
                assert (metrics["allocations_warm"], metrics["allocations_cold"]) == (1, 0)
                await until(lambda: len(realtime.open) == 3)
            await until(lambda: park.snapshot()[PROFILE]["closed"]["not_recycled"] == 1)
            assert len(realtime.sockets) == 3, "and one was parked in its place"

    asyncio.run(main())


def test_a_close_of_a_parked_socket_is_seen_at_once():
    async def main():
        async with parked() as (realtime, park, _):
            await park.wait_warm(PROFILE)
            await realtime.sockets[0].close()
            await until(lambda: len(realtime.sockets) == 2)
            assert await park.wait_warm(PROFILE)
            async with park.adopt(PROFILE) as socket:
                assert await first_delta(socket) == "hello"
            assert park.snapshot()[PROFILE]["closed"]["died"] == 1

    asyncio.run(main())


def test_what_comes_while_it_is_parked_is_read():
    """More than the library's own queue holds; unread, it would stop answering pings."""

    async def main():
        async with parked() as (realtime, park, _):
            await park.wait_warm(PROFILE)
            for number in range(100):
                await realtime.sockets[0].send(json.dumps({"type": "rate_limits.updated", "number": number}))
            pong = await realtime.sockets[0].ping()
            async with asyncio.timeout(5):
                await pong
            async with park.adopt(PROFILE) as socket:
                assert len(socket.events) == 102
                assert await first_delta(socket) == "hello"

    asyncio.run(main())


def test_parked_sockets_are_pinged_and_replaced_while_a_call_still_fits_in():
    async def main():
        limits = {"session_limit_sec": 10.4, "call_sec": 10.0, "ping_interval_sec": 0.1}
        async with parked(**limits) as (realtime, park, _):
            await park.wait_warm(PROFILE)
            await until(lambda: park.snapshot()[PROFILE]["closed"]["lifetime"] >= 2)
            snapshot = park.snapshot()[PROFILE]
            assert snapshot["counters"]["keepalives"] >= 2
            assert snapshot["counters"]["make_before_break"] >= 2
            assert len(realtime.sockets) >= 3

    asyncio.run(main())


def test_a_profile_never_gets_the_socket_of_another():
    async def main():
        other = RealtimeProfile.of("gpt-realtime", {"type": "realtime", "instructions": "Be long."})
        assert RealtimeProfile.of("m", {"a": 1, "b": 2}) == RealtimeProfile.of("m", {"b": 2, "a": 1})
        async with parked() as (realtime, park, client):
            await park.wait_warm(PROFILE)
            async with park.adopt(other):
                assert [each["instructions"] for each in realtime.updates][:2] == ["Be brief.", "Be long."]
            client.api_key = "rotated"
            await park.rotate()
            await until(lambda: realtime.keys.count("Bearer rotated") >= 2)

    asyncio.run(main())


def test_a_session_that_is_refused_is_no_warm_one():
    async def main():
        async with parked() as (realtime, park, _):
            realtime.refuse = True
            assert not await park.wait_warm(PROFILE, timeout=0.2)
            with pytest.raises((CreateFailed, PoolTimeout)) as caught:
                async with park.adopt(PROFILE, timeout=3):
                    pass
            cause = caught.value.__cause__
            assert isinstance(cause, WarmUpFailed)
            assert "bad_voice" in str(cause)
            assert "secret" not in str(cause)
            realtime.refuse = False
            assert await park.wait_warm(PROFILE, timeout=15)

    asyncio.run(main())


def test_billed_idle_seconds_are_counted_and_cancelled_adoptions_lose_nothing():
    async def main():
        async with parked(billed_when_idle=True) as (_, park, _):
            await park.wait_warm(PROFILE)
            for steps in range(8):

                async def call():
                    async with park.adopt(PROFILE) as socket:
                        await first_delta(socket)

                task = asyncio.create_task(call())
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert park.snapshot()[PROFILE]["counts"]["leased"] == 0
            await park.wait_warm(PROFILE)
            assert park.spent.billed_idle_sec > 0
            assert park.spent.requests == park.snapshot()[PROFILE]["counters"]["create_starts"]

    asyncio.run(main())


def test_a_session_too_short_for_a_call_is_refused():
    with pytest.raises(ConfigError, match="call_sec"):
        ParkSettings(session_limit_sec=600, call_sec=600)
    with pytest.raises(ConfigError, match="forget_after_sec"):
        ParkSettings(forget_after_sec=0)


def test_a_profile_that_nobody_uses_is_let_go_when_you_say(monkeypatch):
    """The pools look at it at each sweep; here they sweep more often."""
    knobs = SocketPark._knobs
    monkeypatch.setattr(SocketPark, "_knobs", lambda *of: {**knobs(*of), "warmup_interval_sec": 0.1})

    async def main():
        async with parked(forget_after_sec=0.2) as (realtime, park, _):
            await park.prepare(PROFILE)
            await until(lambda: len(realtime.open) == 1)
            await until(lambda: not realtime.open)
            assert await park.wait_warm(PROFILE), "and comes back when it is wanted"

    asyncio.run(main())
