"""A source of somebody else's that has a bug: an error of the family, and no end of the refreshing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.credentials.issuer import Issuer, keep
from warmline.credentials import IssuedToken
from warmline.errors import CredentialUnreachable
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


class Broken(Issuer):
    """Raises what no source should, where it is told to."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    async def fetch(self) -> Any:
        if self.where == "fetch":
            raise KeyError("oops")
        if self.where == "answer":
            return IssuedToken(value="x", expires_on="tomorrow")  # type: ignore[arg-type]  # that is the bug
        return await super().fetch()

    def renew(self) -> None:
        if self.where == "renew":
            raise KeyError("oops")


@pytest.mark.parametrize(("where", "kind"), [("fetch", "KeyError"), ("answer", "TypeError")])
def test_a_source_with_a_bug_is_an_error_of_the_family(where: str, kind: str) -> None:
    async def main() -> None:
        source = Broken(where)
        async with keep(source) as keeper:
            with pytest.raises(CredentialUnreachable, match=rf"the source failed \({kind}\)"):
                await keeper.token(timeout=1)
            source.where = ""
            assert (await keeper.token()).epoch == 1

    run_virtual(main())


def test_a_source_that_cannot_renew_is_asked_nevertheless() -> None:
    async def main() -> None:
        source = Broken("renew")
        async with keep(source) as keeper:
            keeper.refused((await keeper.token()).value)
            await asyncio.sleep(10)
            assert keeper.current().epoch == 2

    run_virtual(main())


class Brief(Issuer):
    """Its tokens last so long; with `same`, it is always the same one."""

    def __init__(self, lifetime_sec: float, *, same: bool = False) -> None:
        super().__init__()
        self.brief_sec, self.same = lifetime_sec, same

    async def fetch(self) -> IssuedToken:
        self.fetches += 1
        await asyncio.sleep(0.001)
        return IssuedToken(value="same" if self.same else f"token-{self.fetches}", lifetime_sec=self.brief_sec)


@pytest.mark.parametrize("lifetime_sec", [0.0, -1.0, float("nan"), 0.01])
def test_tokens_that_hardly_last_are_not_fetched_without_a_pause(lifetime_sec: float) -> None:
    async def main() -> None:
        source = Brief(lifetime_sec)
        async with keep(source) as keeper:
            await asyncio.sleep(60)
            assert 2 <= source.fetches <= 121, "at most each half second: the least pause, jittered"
            if not lifetime_sec > 0:
                with pytest.raises(CredentialUnreachable, match="over as it comes"):
                    keeper.current()

    run_virtual(main())


def test_a_token_that_comes_again_with_more_time_is_kept() -> None:
    async def main() -> None:
        source = Brief(10.0, same=True)
        async with keep(source) as keeper:
            first = await keeper.token()
            await asyncio.sleep(100)
            assert keeper.current().value == "same"
            assert (keeper.current().epoch, keeper.gate.ready) == (1, True)
            assert keeper.current().expires_on > first.expires_on
            assert source.fetches <= 30

    run_virtual(main())
