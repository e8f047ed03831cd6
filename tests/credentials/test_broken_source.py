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
