"""When a source is asked again, and how long an issuer may put that off."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.credentials.issuer import Issuer, keep
from warmline.credentials import RefreshPolicy
from warmline.errors import ConfigError, CredentialUnreachable
from warmline.testing import run_virtual

pytestmark = pytest.mark.core


def test_an_issuer_that_asks_for_patience_gets_it_within_bounds() -> None:
    class Busy(Issuer):
        asked_sec = 20.0

        async def fetch(self) -> Any:
            self.fetches += 1
            raise CredentialUnreachable("busy", retry_after_sec=self.asked_sec)

    async def main(asked_sec: float) -> int:
        issuer = Busy()
        issuer.asked_sec = asked_sec
        async with keep(issuer):
            await asyncio.sleep(119)
        return issuer.fetches

    assert run_virtual(main(20.0)) == 6
    assert run_virtual(main(86_400.0)) == 4  # every 30 s: somebody waits


@pytest.mark.parametrize(
    "wrong",
    [
        {"refresh_at_share": 1.0},
        {"refresh_at_share": 0.0},
        {"poll_sec": 0.0},
        {"jitter_share": 1.0},
        {"retry_min_sec": 0.0},
        {"retry_min_sec": 2.0, "retry_max_sec": 1.0},
        {"fetch_timeout_sec": 0.0},
        {"margin_sec": -1.0},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        RefreshPolicy(**wrong)
