"""Who holds what was made with the old token hears of the other one."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from tests.credentials.issuer import Issuer, keep
from warmline import WarmableResourcePool
from warmline.testing import run_virtual

if TYPE_CHECKING:
    from warmline.credentials import Token

pytestmark = pytest.mark.core


class Socket:
    """Made with a token, which it then carries."""

    def __init__(self, token: str) -> None:
        self.token = token


def test_a_pool_replaces_spares_at_once_and_leased_ones_at_release() -> None:
    async def main() -> None:
        issuer = Issuer(600.0)
        async with keep(issuer) as keeper:
            await keeper.token()

            async def connect() -> Socket:
                return Socket((await keeper.token()).value)

            async with WarmableResourcePool[Socket](connect, warm_pool_size=2) as pool:
                keeper.drain(pool)
                assert await pool.wait_warm(timeout=5)
                async with pool.lease("a call") as lease:
                    await asyncio.sleep(320)  # past the rotation
                    assert keeper.current().epoch == 2
                    assert lease.resource.token == "token-1"  # held: not taken away
                    async with pool.lease("another call") as other:
                        assert other.resource.token == "token-2"
                async with pool.lease("a third call") as lease, pool.lease("a fourth") as fourth:
                    assert {lease.resource.token, fourth.resource.token} == {"token-2"}

    run_virtual(main())


def test_live_objects_get_every_token_and_are_not_kept_alive() -> None:
    async def main() -> None:
        issuer = Issuer(600.0)
        async with keep(issuer) as keeper:
            early, late = Socket(""), Socket("")

            def put(socket: Socket, value: str) -> None:
                socket.token = value

            keeper.push_to(early, put)
            assert early.token == ""
            await keeper.token()
            keeper.push_to(late, put)
            await asyncio.sleep(0)
            assert early.token == late.token == "token-1"
            await keeper.refresh()
            await asyncio.sleep(0)
            assert early.token == late.token == "token-2"
            assert keeper.snapshot()["subscribers"] == 2
            del early
            gc.collect()
            assert keeper.snapshot()["subscribers"] == 1

    run_virtual(main())


def test_a_subscriber_that_fails_or_hangs_holds_up_nobody() -> None:
    async def main() -> None:
        heard: list[int] = []

        async def hang(_: Token) -> None:
            await asyncio.sleep(10_000)

        async def fail(_: Token) -> None:
            raise ValueError("token-2")

        async with keep(Issuer(600.0)) as keeper:
            await keeper.token()
            for subscriber in (hang, fail):
                keeper.subscribe(subscriber)
            keeper.subscribe(lambda token: heard.append(token.epoch))
            await asyncio.sleep(3000)
            assert heard == list(range(2, keeper.current().epoch + 1))
            assert len(heard) > 8
            assert keeper.snapshot()["failed_deliveries"] == 2 * len(heard)

    run_virtual(main())


def test_a_slow_subscriber_hears_the_last_and_only_one_at_a_time() -> None:
    async def main() -> None:
        heard: list[int] = []
        running = most = 0

        async def slow(token: Token) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(5)
            running -= 1
            heard.append(token.epoch)

        async with keep(Issuer(600.0)) as keeper:
            await keeper.token()
            keeper.subscribe(slow)
            for _ in range(4):
                await keeper.refresh()
            await asyncio.sleep(60)
            assert most == 1
            assert heard == [2, 5]

    run_virtual(main())


def test_who_has_left_hears_nothing() -> None:
    async def main() -> None:
        heard: list[int] = []
        async with keep(Issuer(600.0)) as keeper:
            await keeper.token()
            subscription = keeper.subscribe(lambda token: heard.append(token.epoch))
            await keeper.refresh()
            await asyncio.sleep(0)
            subscription.cancel()
            subscription.cancel()
            await keeper.refresh()
            await asyncio.sleep(1)
            assert heard == [2]

    run_virtual(main())


def test_a_coroutine_function_gets_the_token_at_hand_too() -> None:
    async def main() -> None:
        async with keep(Issuer(600.0)) as keeper:
            await keeper.token()
            socket, heard = Socket(""), list[str]()

            async def put(live: Socket, value: str) -> None:
                await asyncio.sleep(1)
                live.token = value
                heard.append(value)

            keeper.push_to(socket, put)
            await asyncio.sleep(400)
            assert heard == ["token-1", "token-2"]
            assert socket.token == "token-2"

    run_virtual(main())


def test_one_that_still_takes_the_first_token_ends_with_the_keeper() -> None:
    async def main() -> None:
        ended = list[str]()
        async with keep(Issuer(600.0)) as keeper:
            await keeper.token()
            socket = Socket("")

            async def put(live: Socket, value: str) -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    ended.append(value)

            keeper.push_to(socket, put)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert ended == ["token-1"]

    run_virtual(main())
