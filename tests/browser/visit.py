"""A visit to the page, with everything written down that must not happen on it."""

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

__all__ = ["Visit", "visiting"]

_NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""

ANSWER_LIMIT_MS = 30_000


class Visit:
    """One page in a browser context of its own, and what it asked for and complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requested: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("websocket", lambda socket: self.requested.append(socket.url))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def state(self, name: str) -> Any:
        """A copy of `window.warmline[name]`."""
        return self.page.evaluate("(name) => JSON.parse(JSON.stringify(window.warmline[name]))", name)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.state("events") if event["type"] == kind]

    def wait_for_event(self, kind: str, **fields: object) -> None:
        """Until an event of this kind, with these fields, was recorded."""
        condition = """([kind, fields]) => window.warmline.events.some((event) =>
          event.type === kind && Object.entries(fields).every(([name, value]) => event[name] === value))"""
        self.page.wait_for_function(condition, arg=[kind, fields], timeout=ANSWER_LIMIT_MS)

    def wait_for_phase(self, phase: str) -> None:
        self.page.wait_for_function("(phase) => window.warmline.phase === phase", arg=phase, timeout=ANSWER_LIMIT_MS)

    def hang_up(self) -> None:
        """Until the server has let the line go as well."""
        self.page.keyboard.press("Escape")
        self.wait_for_event("closed")

    def assert_clean(self) -> None:
        """Nothing left the origin, nothing was blocked, nothing failed."""
        origin = urlsplit(self.page.url).netloc
        assert {urlsplit(url).netloc for url in self.requested} == {origin}
        assert self.page.evaluate("window.violations") == []
        assert self.complaints == []


@contextlib.contextmanager
def visiting(
    browser: Browser, url: str, *, microphone: bool = True, script: str = "", **options: Any
) -> Iterator[Visit]:
    """Open `url`; `script` runs before the page's own, `options` are those of a browser context."""
    context = browser.new_context(permissions=["microphone"] if microphone else [], **options)
    try:
        context.add_init_script(_NOTE_VIOLATIONS + script)
        visit = Visit(context.new_page())
        visit.page.goto(url)
        yield visit
    finally:
        context.close()
