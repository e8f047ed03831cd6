"""How a request's bytes leave: head and body as one, unpaced while they are few, in the window that has grown else."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest

from tests.connections.conftest import ask, until
from tests.connections.llm_server import LlmServer
from warmline.connections.http import SocketCare, WarmSettings, transport_of, warm
from warmline.connections.http.wire import Wire

APPLICATION_DATA = 23  # RFC 8446, section 5.1
LARGE = "x" * 20_000
UNPACED = {"cubic", "reno"}
needs_linux = pytest.mark.skipif(not hasattr(socket, "TCP_CONGESTION"), reason="the option is Linux's")


class Relay:
    """Passes connections on to `port`, and counts the TLS records that come from clients."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.records = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.port)
        await asyncio.gather(self._outward(reader, there_writer), self._homeward(there_reader, writer))

    async def _outward(self, reader, writer):
        try:
            while True:
                head = await reader.readexactly(5)
                writer.write(head + await reader.readexactly(int.from_bytes(head[3:5])))
                self.records += head[0] == APPLICATION_DATA
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _homeward(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()


def test_head_and_body_leave_as_one(library, warm_client, server_tls, client_tls):
    async def main():
        async with LlmServer(tls=server_tls) as server:
            relay = Relay(server.port)
            front = await asyncio.start_server(relay, "127.0.0.1", 0)
            server.port = front.sockets[0].getsockname()[1]
            # A floor of none: nothing but the one request sends anything.
            async with warm_client(library, server, verify=client_tls, floor=0, drain_ms=10_000) as client:
                await ask(client)
                await until(lambda: len(transport_of(client).recent) == 1)
                before = relay.records
                await ask(client)
                await until(lambda: len(transport_of(client).recent) == 2)
                assert server.connections == 1
                assert relay.records - before == 1
            front.close()

    asyncio.run(main())


def test_what_is_written_leaves_before_anything_else_runs():
    """In a burst the code of the other requests is ready to run, milliseconds of it, when the first is written."""

    async def main():
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.setblocking(False)
            transport, wire = await asyncio.get_running_loop().create_connection(Wire, sock=ours)

            async def request():
                await wire.write(b"head ")
                await wire.write(b"body")
                return await wire.read(100)

            async def another():
                return theirs.recv(100)

            async with asyncio.TaskGroup() as group:
                answer, left = group.create_task(request()), group.create_task(another())
                theirs.send(b"answer")
            assert (left.result(), answer.result()) == (b"head body", b"answer")
            transport.close()

    asyncio.run(main())


def control_of(sock: socket.socket) -> str:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def hosts_control() -> str:
    with socket.socket() as untouched:
        return control_of(untouched)


def unpaced(hosts: str) -> set[str]:
    """What a connection may begin with: on a host with another control than BBR, that one."""
    return UNPACED if hosts.startswith("bbr") else {hosts}


@needs_linux
def test_a_connection_begins_unpaced_and_keeps_its_window_from_the_first_large_request(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server, floor=1, drain_ms=10_000) as client:
            assert await transport_of(client).wait_warm()
            (connection,) = transport_of(client).origin._connections
            sock = connection._dialler.wire.extra("socket")
            assert control_of(sock) in unpaced(hosts_control())
            await ask(client)
            assert control_of(sock) in unpaced(hosts_control())
            await until(lambda: len(transport_of(client).recent) == 1)
            await ask(client, user=LARGE)
            assert connection.verified_upload_bytes > len(LARGE), "on the same connection"
            assert control_of(sock) == hosts_control()

    asyncio.run(main())


@needs_linux
def test_the_host_may_decide(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server, care=SocketCare(bursts=False)) as client:
            assert await transport_of(client).wait_warm()
            for connection in transport_of(client).origin._connections:
                assert control_of(connection._dialler.wire.extra("socket")) == hosts_control()

    asyncio.run(main())


@needs_linux
def test_so_it_is_with_aiohttp():
    async def main():
        async with (
            LlmServer() as server,
            aiohttp.ClientSession() as original,
            warm(original, url=server.url, settings=WarmSettings(floor=1)) as session,
        ):
            assert await transport_of(session).wait_warm()
            (connection,) = transport_of(session).origin._connections
            sock = connection.handler.transport.get_extra_info("socket")
            assert control_of(sock) in unpaced(hosts_control())
            async with session.post(f"{server.url}/chat/completions", json={"user": LARGE}) as response:
                await response.read()
            assert connection.exchanges == 2
            assert control_of(sock) == hosts_control()

    asyncio.run(main())
