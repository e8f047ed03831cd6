"""The page at an agent that asks for a token."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.server_process import serving
from tests.browser.visit import visiting

pytestmark = pytest.mark.browser

TOKEN = "open-sesame-open-sesame-open-sesame"


def test_the_token_is_asked_for_and_stays_out_of_every_address(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, "--cold", WARMLINE_TOKEN=TOKEN) as url, visiting(browser, url) as visit:
        visit.page.get_by_role("button", name="Connect").click()
        expect(visit.page.get_by_role("alert")).to_contain_text("This agent asks for a token.")
        field = visit.page.get_by_label("Access token")
        expect(field).to_be_focused()

        visit.page.keyboard.type("guessed")
        visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_role("alert")).to_contain_text("That token was not accepted.")

        field.fill(TOKEN)
        visit.page.keyboard.press("Enter")
        visit.wait_for_phase("in-call")
        expect(field).to_be_hidden()
        visit.hang_up()

        assert not any(TOKEN in seen for seen in [visit.page.url, *visit.requested])
        assert TOKEN not in visit.page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        )
        visit.assert_clean()
