"""Takes the pictures of docs/images at a real agent: `python -m tests.browser.screenshots` (needs Chromium and flite).

Idle, in a call while the agent answers, and after five turns; light at desktop width for the documentation, and with
`--all FOLDER` the dark scheme and a phone's width too.
"""

import argparse
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import find_chromium, launch
from tests.browser.server_process import serving
from tests.browser.visit import Visit, visiting

IMAGES = Path(__file__).parents[2] / "docs" / "images"
RATE_HZ = 16_000
LEAD_SEC, PAUSE_SEC = 4.0, 7.0
# The same every time: a cold tax compares like with like.
SENTENCE, TURNS = "what are your opening hours", 5


@dataclass(frozen=True)
class Look:
    """How the page is looked at; `suffix` goes into the file names."""

    suffix: str
    scheme: str
    width: int
    height: int
    scale: float


DOCUMENTED = Look("", "light", 1280, 900, 1.5)
OTHERS = (
    Look("-dark", "dark", 1280, 900, 1.5),
    Look("-phone", "light", 390, 844, 2),
    Look("-phone-dark", "dark", 390, 844, 2),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every look, into FOLDER instead of docs/images")
    folder = parser.parse_args().all
    executable = find_chromium()
    if executable is None:
        parser.error("Chromium is not installed")
    looks = (DOCUMENTED, *OTHERS) if folder else (DOCUMENTED,)
    with tempfile.TemporaryDirectory() as scratch:
        microphone = five_questions(Path(scratch))
        with serving(Path(scratch)) as url, sync_playwright() as playwright:
            for look in looks:
                browser = launch(playwright, executable, microphone)
                photograph(browser, url, look, folder or IMAGES)
                browser.close()


def five_questions(folder: Path) -> Path:
    """A WAV of the sentence five times, spoken by flite's slt, with a pause for each answer."""
    pcm = silence(LEAD_SEC) + TURNS * (spoken(SENTENCE, folder / "sentence.wav") + silence(PAUSE_SEC))
    path = folder / "five_questions.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(pcm)
    return path


def silence(sec: float) -> bytes:
    return bytes(2 * int(RATE_HZ * sec))


def spoken(sentence: str, path: Path) -> bytes:
    subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", str(path)], check=True)
    with wave.open(str(path), "rb") as speech:
        return speech.readframes(speech.getnframes())


def photograph(browser: Browser, url: str, look: Look, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with visiting(
        browser,
        url,
        color_scheme=look.scheme,
        viewport={"width": look.width, "height": look.height},
        device_scale_factor=look.scale,
    ) as visit:
        picture(visit.page, folder / f"idle{look.suffix}.png")
        visit.page.get_by_role("button", name="Connect").click()
        wait_for_answer(visit, turn=2)
        picture(visit.page, folder / f"in-a-call{look.suffix}.png")
        visit.wait_for_event("turn", turn=TURNS)
        picture(visit.page, folder / f"after-five-turns{look.suffix}.png", whole=True)
        print(look, [round(row["totalMs"]) for row in visit.state("timing")["turns"]])
        visit.hang_up()


def wait_for_answer(visit: Visit, turn: int) -> None:
    """Until the agent is in the middle of this answer."""
    visit.wait_for_event("audible", turn=turn)
    visit.page.wait_for_timeout(900)


def picture(page: Page, path: Path, *, whole: bool = False) -> None:
    page.evaluate("() => document.fonts.ready")
    page.screenshot(path=path, full_page=whole)


if __name__ == "__main__":
    main()
