"""The control path as HTTP: what it refuses."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.emulators.emulated import emulated, on_a_loop
from warmline.errors import EngineError


def sent(url, method, path, body=None, headers=None):
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@on_a_loop
async def test_what_it_refuses():
    async with emulated() as emulator:
        url = emulator.control._url
        assert sent(url, "GET", "/counters")[0] == 200
        assert sent(url, "GET", "/counters", headers={"Host": "evil.example"})[0] == 400
        assert sent(url, "POST", "/faults/stall", "{}")[0] == 405
        for path, body in [
            ("/faults/nothing", "{}"),
            ("/faults/stall", "["),
            ("/faults/stall", "[]"),
            ("/faults/stall", '{"times": 0}'),
            ("/faults/stall", '{"value": "x"}'),
            ("/idle-close", "{}"),
            ("/idle-close", '{"sec": 0}'),
            ("/keys", '{"accepted": "x"}'),
            ("/models", '{"served": "x"}'),
            ("/deployments", '{"served": [1]}'),
        ]:
            status, answer = sent(url, "PUT", path, body)
            assert (status, bool(json.loads(answer)["error"])) == (400, True), (path, body)


@on_a_loop
async def test_it_is_on_a_port_of_its_own():
    async with emulated() as emulator:
        assert sent(emulator.url, "GET", "/counters")[0] == 404
        assert (await emulator.control.counters())["requests"] == 1, "it does not count itself"


@on_a_loop
async def test_there_is_none_unless_it_is_asked_for():
    async with emulated(control=False) as emulator:
        with pytest.raises(EngineError, match="control=True"):
            emulator.control  # noqa: B018  # it raises
