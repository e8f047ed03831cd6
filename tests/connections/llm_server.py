"""A small chat-completions server on loopback whose connections can be counted, dropped and frozen."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl

USAGE = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}}


@dataclass
class Seen:
    """One request."""

    connection: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class LlmServer:
    """Speaks HTTP/1.1. `connections` counts all that were ever accepted; `seen` every request, in order."""

    tls: ssl.SSLContext | None = None
    port: int = 0
    words: int = 3
    model_status: int = 200
    cookie: str = ""
    good_key: str | None = None
    """Any other one is answered with 401."""
    hang_up_next: int = 0
    """So many generations are met by a close without a byte in answer."""
    half_answer_next: int = 0
    """So many generations are met by half a response head, and a close."""
    terminator_after_sec: float = 0.0
    """Between `[DONE]` and the chunk that ends the body."""
    flow: asyncio.Event = field(default_factory=asyncio.Event)
    """While cleared, streams stop after their first word."""
    speak: asyncio.Event = field(default_factory=asyncio.Event)
    """While cleared, generations are not answered at all."""
    prove: asyncio.Event = field(default_factory=asyncio.Event)
    """While cleared, warm-up requests are not answered."""
    connections: int = 0
    seen: list[Seen] = field(default_factory=list)
    closed_by_peer: int = 0
    _writers: dict[asyncio.StreamWriter, bool] = field(default_factory=dict)
    _handlers: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self.flow.set()
        self.speak.set()
        self.prove.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await asyncio.sleep(0.01)

    @property
    def url(self) -> str:
        host = "localhost" if self.tls else "127.0.0.1"
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/v1"

    @property
    def open(self) -> int:
        return len(self._writers)

    def asked(self, path: str) -> list[Seen]:
        return [each for each in self.seen if each.path.partition("?")[0].endswith(path)]

    @property
    def busy(self) -> int:
        return sum(self._writers.values())

    def drop_idle(self) -> None:
        for writer, busy in list(self._writers.items()):
            if not busy:
                writer.close()

    def say_unasked(self, text: bytes) -> None:
        for writer in self._writers:
            writer.write(text)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        self.connections += 1
        self._writers[writer] = False
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(self.connections, reader, writer)
        finally:
            self._writers.pop(writer, None)
            writer.close()
            self._handlers.discard(task)

    async def _serve(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen = await _request(number, reader)
            self.seen.append(seen)
            self._writers[writer] = True
            if not await self._answer(seen, writer):
                return
            await writer.drain()
            self._writers[writer] = False

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.method != "POST":
            await self.prove.wait()
        if self.good_key and seen.headers.get("authorization") != f"Bearer {self.good_key}":
            _json(writer, 401, {"error": {"message": "no"}})
            return True
        if seen.method == "HEAD":
            cookie = f"set-cookie: {self.cookie}\r\n" if self.cookie else ""
            writer.write(f"HTTP/1.1 404 Not Found\r\n{cookie}content-length: 0\r\n\r\n".encode())
            return True
        if seen.method == "GET":
            _json(
                writer,
                self.model_status,
                cookie=self.cookie,
                content={"object": "list", "data": [{"id": "m", "object": "model"}]},
            )
            return True
        await self.speak.wait()
        if self.hang_up_next:
            self.hang_up_next -= 1
            return False
        if self.half_answer_next:
            self.half_answer_next -= 1
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-")
            return False
        if self.model_status != 200:
            _json(writer, self.model_status, {"error": {"message": "no"}})
        elif json.loads(seen.body or b"{}").get("stream"):
            await self._stream(writer)
        else:
            message = {"role": "assistant", "content": "word"}
            choice = {"index": 0, "message": message, "finish_reason": "length"}
            _json(writer, 200, {"id": "1", "object": "chat.completion", "choices": [choice], "usage": USAGE})
        return True

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for word in range(self.words):
            delta = {"index": 0, "delta": {"content": f"word{word} "}}
            _chunk(writer, json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [delta]}))
            await writer.drain()
            await self.flow.wait()
        _chunk(writer, "[DONE]")
        await writer.drain()
        await asyncio.sleep(self.terminator_after_sec)
        writer.write(b"0\r\n\r\n")


async def _request(number: int, reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(number, method, path, headers, body)


def _json(writer: asyncio.StreamWriter, status: int, content: object, cookie: str = "") -> None:
    body = json.dumps(content).encode()
    said = f"set-cookie: {cookie}\r\n" if cookie else ""
    head = (
        f"HTTP/1.1 {status} Some Reason\r\ncontent-type: application/json\r\n{said}content-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)


def _chunk(writer: asyncio.StreamWriter, event: str) -> None:
    data = f"data: {event}\n\n".encode()
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
