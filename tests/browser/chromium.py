"""The machine's own Chromium, with a WAV file for a microphone and no way out of the machine."""

import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright

__all__ = ["find_chromium", "launch"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find_chromium() -> str | None:
    """The path of Chromium or Chrome, if one is installed."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def launch(playwright: Playwright, executable: str, microphone: Path) -> Browser:
    """Start it headless; every page hears `microphone`, over and over, from the moment that it opens one."""
    return playwright.chromium.launch(
        executable_path=executable,
        args=[*_ARGUMENTS, f"--use-file-for-fake-audio-capture={microphone}"],
    )
