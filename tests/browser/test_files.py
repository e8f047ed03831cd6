"""What the server says of the page's files."""

import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import warmline.agent

FOLDER = Path(warmline.agent.__file__).parent / "page"
FILES = sorted(path.name for path in FOLDER.iterdir())
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        answer = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def address_of(agent_url: str, name: str) -> str:
    return agent_url if name == "index.html" else f"{agent_url}page/{name}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_served_as_it_lies_and_under_the_policy(agent_url: str, name: str) -> None:
    status, headers, body = fetch(address_of(agent_url, name))
    assert (status, body) == (200, (FOLDER / name).read_bytes())
    assert headers["content-type"].partition(";")[0] == MEDIA_TYPES[Path(name).suffix]
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_known_file_is_not_sent_again(agent_url: str) -> None:
    _, headers, _ = fetch(agent_url)
    status, again, body = fetch(agent_url, If_None_Match=f'"other", W/{headers["etag"]}')
    assert (status, body, again["etag"]) == (304, b"", headers["etag"])
    assert fetch(agent_url, If_None_Match='"other"')[0] == 200


@pytest.mark.parametrize("path", ["page/", "page/index.html", "page/../page.py", "page/%2e%2e/page.py", "index.html"])
def test_nothing_else_is_served(agent_url: str, path: str) -> None:
    assert fetch(agent_url + path)[0] == 404


def test_every_module_is_preloaded_and_nothing_is_inline() -> None:
    html = (FOLDER / "index.html").read_text(encoding="utf-8")
    preloaded = set(re.findall(r'rel="modulepreload" href="page/([^"]+)"', html))
    in_worklets = {"capture-worklet.js", "playback-worklet.js", "resampler.js"}
    assert preloaded == {name for name in FILES if name.endswith(".js")} - in_worklets
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)|https?://", html)


def test_text_reaches_the_page_as_text() -> None:
    for path in FOLDER.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text(encoding="utf-8")
        )
