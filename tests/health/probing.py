"""Probes over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Answer = tuple[int, Any]


def listening() -> socket.socket:
    """A socket on a free port of the loopback interface."""
    door = socket.create_server(("127.0.0.1", 0), backlog=64)
    door.set_inheritable(True)
    return door


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):
        yield


@contextlib.asynccontextmanager
async def serving(app: Any, **config: Any) -> AsyncIterator[int]:
    """The application behind uvicorn, in this loop; yields the port."""
    with listening() as door:
        server = _Server(uvicorn.Config(app, log_level="critical", **config))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[door]))
            while not server.started:
                await asyncio.sleep(0.005)
            try:
                yield door.getsockname()[1]
            finally:
                server.should_exit = True


def ask(port: int, path: str, method: str = "GET") -> Answer:
    """Status and document (text if it is none). Each probe is a connection of its own, as Kubernetes makes them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, headers={"User-Agent": "kube-probe/1.32", "Host": "10.1.2.3:8080"})
        response = connection.getresponse()
        body = response.read()
        is_json = response.headers["content-type"].startswith("application/json")
        return response.status, json.loads(body) if body and is_json else body.decode() or None


async def probe(port: int, path: str, method: str = "GET") -> Answer:
    """The same, beside the loop."""
    return await asyncio.to_thread(ask, port, path, method)
