"""The emulator as the real openai SDK and a raw socket see it: a child process, over TCP."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import openai
import pytest

ASK = [
    {"role": "system", "content": "You are a receptionist.\n- opening hours: Noon to ten. Every day."},
    {"role": "user", "content": "what are your opening hours"},
]
ANSWER = "Noon to ten. Every day."


def started(*options):
    """The child process, serving, and its URL."""
    command = [sys.executable, "-P", "-m", "warmline.emulators.openai", "--token-interval-ms=0", *options]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return child, json.loads(child.stdout.readline())["url"]


@pytest.fixture(scope="module")
def url():
    child, url = started()
    with child:
        yield url
        child.stdin.close()
        assert child.wait(10) == 0
        assert child.stdout.read() == "", "one line and no more"


@pytest.fixture
def client(url):
    with openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
        yield client


@pytest.fixture
def raw(url):
    """Send a request, get status, headers and body."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)

    def send(method, path, body=None):
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.headers, response.read()

    yield send
    connection.close()


def test_an_answer_in_one_piece(client):
    completion = client.chat.completions.create(model="gpt-4o", messages=ASK)
    assert completion.choices[0].message.content == ANSWER
    assert completion.choices[0].message.role == "assistant"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "gpt-4o"
    assert completion.object == "chat.completion"
    assert completion.id.startswith("chatcmpl-")
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion._request_id.startswith("req_")


def test_a_streamed_answer(client):
    chunks = list(client.chat.completions.create(model="m", messages=ASK, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)
    assert len(chunks) > 6, "in pieces"


def test_usage_comes_last_in_a_stream_that_asks_for_it(client):
    chunks = list(
        client.chat.completions.create(model="m", messages=ASK, stream=True, stream_options={"include_usage": True})
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == len(chunks) - 3
    assert chunks[-1].usage.prompt_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_sdks_own_stream_helper_accumulates_the_answer(client):
    with client.chat.completions.stream(model="m", messages=ASK) as stream:
        assert stream.get_final_completion().choices[0].message.content == ANSWER


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_that_is_cut(client, name):
    completion = client.chat.completions.create(model="m", messages=ASK, **{name: 2})
    assert completion.choices[0].message.content == "Noon to"
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage.completion_tokens == 2


def test_parts_tools_and_developers(client):
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": ASK[0]["content"]}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "x", "tool_call_id": "1"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "what are your"}, {"type": "text", "text": "opening hours"}],
        },
    ]
    completion = client.chat.completions.create(model="m", messages=messages, temperature=0.2, seed=7)
    assert completion.choices[0].message.content == ANSWER


def test_models(client):
    assert [model.id for model in client.models.list()] == ["receptionist"]
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"
    assert client.models.retrieve("org/any-model").object == "model"


def test_connections_are_kept_alive(url):
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    with contextlib.closing(connection):
        connection.connect()
        first = connection.sock
        for _ in range(3):
            connection.request("GET", "/v1/models")
            assert connection.getresponse().read()
            assert connection.sock is first


def test_a_stream_on_the_wire(raw):
    body = json.dumps({"model": "m", "messages": ASK, "stream": True})
    status, headers, stream = raw("POST", "/v1/chat/completions", body)
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    events = stream.decode().split("\n\n")
    assert events[-1] == ""
    assert events[-2] == "data: [DONE]"
    assert all(json.loads(event.removeprefix("data: "))["choices"] for event in events[:-2])


@pytest.mark.parametrize(
    ("body", "param", "code", "says"),
    [
        ("{", None, None, "could not parse the JSON"),
        ("[" * 100_000, None, None, "could not parse the JSON"),
        (b"\xff", None, None, "could not parse the JSON"),
        ("[]", None, "invalid_type", "expected an object, but got an array"),
        ('{"messages": []}', "model", "missing_required_parameter", "'model'"),
        ('{"model": "m"}', "messages", "missing_required_parameter", "'messages'"),
        ('{"model": "m", "messages": []}', "messages", "invalid_value", "must not be empty"),
        ('{"model": 1, "messages": []}', "model", "invalid_type", "expected a string, but got an integer"),
        ('{"model": "m", "messages": "hi"}', "messages", "invalid_type", "expected an array, but got a string"),
        ('{"model": "m", "messages": [1]}', "messages[0]", "invalid_type", "expected an object"),
        ('{"model": "m", "messages": [{"role": "x"}]}', "messages[0].role", "invalid_value", "supported are"),
        ('{"model": "m", "messages": [{"role": "user"}]}', "messages[0].content", "invalid_type", "got null"),
        (
            '{"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}',
            "messages[0].content",
            "invalid_value",
            "text alone",
        ),
        (
            '{"model": "m", "messages": [{"role": "user", "content": ""}], "stream": 1}',
            "stream",
            "invalid_type",
            "boolean",
        ),
        (
            '{"model": "m", "messages": [{"role": "user", "content": ""}], "max_tokens": 0}',
            "max_tokens",
            "integer_below_min_value",
            "at least 1",
        ),
        (
            '{"model": "m", "messages": [{"role": "user", "content": ""}], "stream_options": {"include_usage": true}}',
            "stream_options",
            None,
            "only allowed when 'stream'",
        ),
    ],
)
def test_a_bad_request_is_refused_in_the_shape_of_openais_errors(raw, body, param, code, says):
    status, headers, answer = raw("POST", "/v1/chat/completions", body)
    error = json.loads(answer)["error"]
    assert status == 400
    assert headers["content-type"] == "application/json"
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert says in error["message"]
    assert raw("GET", "/v1/models")[0] == 200, "it still serves"


def test_the_sdk_raises_its_own_errors(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="m", messages=[])
    assert caught.value.param == "messages"
    assert caught.value.code == "invalid_value"
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="m", input="x")


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/v1/nothing", 404, "Invalid URL (GET /v1/nothing)"),
        ("GET", "/v1/chat/completions", 405, "Not allowed to GET on /v1/chat/completions."),
        ("POST", "/v1/models", 405, "Not allowed to POST on /v1/models."),
    ],
)
def test_other_paths_and_methods(raw, method, path, status, says):
    answered, _, body = raw(method, path)
    assert (answered, json.loads(body)["error"]["message"]) == (status, says)


def test_a_body_that_is_too_large(raw, client):
    status, _, body = raw("POST", "/v1/chat/completions", b" " * (1024 * 1024 + 1))
    assert status == 413
    assert "Maximum content size" in json.loads(body)["error"]["message"]
    assert client.models.list().data


def test_a_client_that_goes_away_in_the_middle_of_a_stream():
    child, url = started("--token-interval-ms=50")
    with child, openai.OpenAI(base_url=url, api_key="x") as client:
        for _ in range(20):
            with client.chat.completions.create(model="m", messages=ASK, stream=True) as stream:
                next(iter(stream))
        assert client.chat.completions.create(model="m", messages=ASK).choices[0].message.content == ANSWER
        open_fds = len(os.listdir(f"/proc/{child.pid}/fd"))
        assert open_fds < 20
        child.stdin.close()
        assert child.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it(number):
    child, _ = started()
    with child:
        child.send_signal(number)
        assert child.wait(10) in {-number, 128 + number, 0}


def test_an_open_stream_does_not_keep_it():
    child, url = started("--token-interval-ms=600000")
    with child, openai.OpenAI(base_url=url, api_key="x") as client:
        stream = client.chat.completions.create(model="m", messages=ASK, stream=True)
        next(iter(stream))
        child.stdin.close()
        assert child.wait(10) == 0
        stream.close()


def test_a_port_that_is_taken_is_said_so(url):
    port = urlsplit(url).port
    command = [sys.executable, "-m", "warmline.emulators.openai", f"--port={port}"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert re.fullmatch(rf"cannot listen on 127.0.0.1 port {port}: Address already in use\n", ended.stderr)


@pytest.mark.parametrize("option", ["--port=99999", "--port=x", "--first-token-ms=-1", "--token-interval-ms=nan"])
def test_options_are_checked(option):
    command = [sys.executable, "-m", "warmline.emulators.openai", option]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    assert option.partition("=")[0] in ended.stderr


def test_connections_send_every_token_at_once():
    """asyncio sets TCP_NODELAY only where the protocol of the socket is known."""
    from warmline.emulators.openai.server import listen

    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_the_child_imports_little():
    check = "import sys, warmline.emulators.openai; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=30, check=True)
    modules = set(loaded.stdout.split())
    assert "uvicorn" in modules
    assert not modules & {
        "openai",
        "pydantic",
        "numpy",
        "fastapi",
        "websockets",
        "httpx",
        "pipecat",
        "warmline.settings",
    }
