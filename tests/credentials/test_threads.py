"""Consumers in threads and on other loops, in real time."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.credentials.issuer import Issuer, keep
from warmline.credentials import KeeperThread, TokenKeeper
from warmline.errors import CredentialClosed, CredentialError
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


def test_from_threads_and_other_loops() -> None:
    """Real time and threads: a keeper on a loop of its own, asked from four threads and from this loop."""
    issuer = RealIssuer()
    with KeeperThread(TokenKeeper(issuer, name="speech")) as keeper:
        values: list[str] = []
        threads = [threading.Thread(target=lambda: values.append(keeper.get().value)) for _ in range(4)]
        for thread in threads:
            thread.start()
        issuer.go.set()
        for thread in threads:
            thread.join(10)
        assert values == ["token-1"] * 4
        assert issuer.fetches == 1

        async def on_another_loop() -> str:
            return await keeper.async_provider()()

        assert asyncio.run(on_another_loop()) == keeper.provider()() == "token-1"
        assert keeper.token_credential().get_token("any/.default").token == "token-1"
    assert issuer.closed


def test_a_thread_that_waits_gives_up_in_time() -> None:
    with (
        KeeperThread(TokenKeeper(RealIssuer(), name="speech")) as keeper,
        pytest.raises(CredentialError, match="no answer"),
    ):
        keeper.get(timeout=0.05)


def test_a_keeper_that_was_closed_gets_no_second_life_in_a_thread() -> None:
    keeper = TokenKeeper(RealIssuer(), name="speech")
    asyncio.run(keeper.aclose())
    with pytest.raises(CredentialClosed, match="speech: cannot be started"):
        KeeperThread(keeper).start()


def test_a_blocking_get_never_blocks_the_loop_that_it_waits_for() -> None:
    async def main() -> None:
        async with keep(Issuer(latency_sec=1.0)) as keeper:
            with pytest.raises(CredentialError, match="no answer yet"):
                keeper.get(timeout=100)
            await asyncio.sleep(2)
            assert keeper.get().epoch == 1

    run_virtual(main())


class RealIssuer(Issuer):
    """Answers once it may, in real time."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    async def fetch(self) -> Any:
        self.fetches += 1
        while not self.go.is_set():
            await asyncio.sleep(0.005)
        return self.issue()
