import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import find_chromium, launch
from tests.browser.server_process import serving

OPENING_HOURS = Path(__file__).parents[1] / "data" / "opening_hours.wav"


# Both live as long as this folder's tests and no longer: Playwright keeps an event loop running in this thread, and
# tests elsewhere start their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium with a spoken "what are your opening hours" for a microphone."""
    executable = find_chromium()
    if executable is None:
        reason = (
            "NO CHROMIUM FOUND, THE PAGE IS NOT TESTED (apt install chromium; WARMLINE_REQUIRE_BROWSER=1 forbids this)"
        )
        if os.environ.get("WARMLINE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = launch(playwright, executable, OPENING_HOURS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def agent_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address at a warm agent with one line."""
    with serving(tmp_path_factory.mktemp("agent"), "--max-calls", "1") as url:
        yield url
