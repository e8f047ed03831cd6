"""What stands under a connection: addresses, sockets, proxies, and the news that a peer is gone."""

from __future__ import annotations

import asyncio
import errno
import socket

import openai
import pytest

from tests.connections.conftest import ask, settled, until
from tests.connections.llm_server import LlmServer
from warmline.connections.http import SocketCare, transport_of, warm
from warmline.connections.http.dial import Dialler, first_connected
from warmline.connections.http.names import ResolvedNames
from warmline.connections.http.wire import Wire


class Clock:
    def __init__(self):
        self.at = 0.0

    def now(self):
        return self.at

    def jitter(self, low, high):
        return low


class Resolver:
    """Stands in for the system's: the one thing here that cannot be had on loopback."""

    def __init__(self, monkeypatch, *answers):
        self.answers = list(answers)
        self.asked = 0
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self.getaddrinfo)

    async def getaddrinfo(self, host, port, **_):
        self.asked += 1
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


def test_names_are_looked_up_once_and_refreshed_ahead(monkeypatch):
    async def main():
        clock = Clock()
        names = ResolvedNames(60.0, clock)
        resolver = Resolver(monkeypatch, ["1.1.1.1"], ["2.2.2.2"])
        assert await asyncio.gather(*(names.addresses("host", 80) for _ in range(5))) == [("1.1.1.1",)] * 5
        assert resolver.asked == 1
        clock.at = 29.0
        assert await names.addresses("host", 80) == ("1.1.1.1",)
        assert resolver.asked == 1
        clock.at = 31.0
        assert await names.addresses("host", 80) == ("1.1.1.1",), "nobody waits for the refresh"
        await asyncio.sleep(0.01)
        assert (await names.addresses("host", 80), resolver.asked) == (("2.2.2.2",), 2)
        assert await names.addresses("127.0.0.1", 80) == ("127.0.0.1",)
        await names.aclose()

    asyncio.run(main())


def test_an_old_address_outlives_a_resolver_that_is_down(monkeypatch):
    async def main():
        clock = Clock()
        names = ResolvedNames(60.0, clock)
        Resolver(monkeypatch, ["1.1.1.1"], OSError("down"))
        await names.addresses("host", 80)
        clock.at = 1000.0
        for _ in range(3):
            assert await names.addresses("host", 80) == ("1.1.1.1",)
            await asyncio.sleep(0.01)
        names.forget("host", 80)
        with pytest.raises(OSError, match="down"):
            await names.addresses("host", 80)
        await names.aclose()

    asyncio.run(main())


def test_a_name_that_has_moved_is_looked_up_anew_when_nothing_answers(monkeypatch):
    async def main():
        async with LlmServer() as server:
            names = ResolvedNames()
            resolver = Resolver(monkeypatch, ["127.0.0.9"], ["127.0.0.1"])
            await names.addresses("host", server.port)
            wire = await Dialler(names).connect("host", server.port)
            assert resolver.asked == 2
            await wire.aclose()
            await names.aclose()

    asyncio.run(main())


def test_an_address_that_is_dead_does_not_hold_up_the_others():
    async def main():
        async with LlmServer() as server:

            async def connect(address):
                if address == "silent":
                    await asyncio.sleep(60)
                if address == "refused":
                    raise ConnectionRefusedError
                _, wire = await asyncio.get_running_loop().create_connection(Wire, address, server.port)
                return wire

            for addresses in (["refused", "127.0.0.1"], ["silent", "127.0.0.1"], ["127.0.0.1", "silent"]):
                wire = await first_connected(addresses, connect)
                await wire.aclose()
            with pytest.raises(ConnectionRefusedError):
                await first_connected(["refused", "refused"], connect)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_sockets_notice_a_peer_that_is_gone(library, warm_client):
    async def main():
        async with LlmServer() as server, warm_client(library, server, care=SocketCare(user_timeout_ms=2700)) as client:
            await transport_of(client).wait_warm()
            for connection in transport_of(client).origin._connections:
                sock = connection._dialler.wire.extra("socket")
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                for option in SocketCare(user_timeout_ms=2700).options():
                    assert sock.getsockopt(*option[:2]) == option[2]

    asyncio.run(main())


def test_when_a_route_falls_silent_every_spare_on_it_is_replaced(library, warm_client):
    """The kernel's verdict, ETIMEDOUT, is handed in by hand: packets cannot be lost on loopback."""

    async def main():
        async with LlmServer() as server, warm_client(library, server, floor=3) as client:
            origin = transport_of(client).origin
            await origin.wait_warm()
            before = set(origin._connections)
            server.speak.clear()
            asking = asyncio.create_task(ask(client))
            await until(lambda: len(server.asked("/completions")) == 1)
            (leased,) = [each for each in before if each.leased]
            await until(lambda: origin.snapshot()["counts"]["spare"] == 3)
            leased._dialler.wire.connection_lost(TimeoutError(errno.ETIMEDOUT, "timed out"))
            leased._dialler.wire.abort()
            await until(lambda: len(server.asked("/completions")) == 2)
            server.speak.set()
            assert await asking == "word0 word1 word2"
            await until(lambda: [each.sends for each in transport_of(client).recent] == [2])
            await until(lambda: not before & origin._connections)
            closed = origin.snapshot()["closed"]
            assert (closed["died"], closed["broken"]) == (3, 0), "not the one that was proven since"

    asyncio.run(main())


async def connect_proxy(reader, writer):
    """HTTP CONNECT (RFC 9110, section 9.3.6)."""
    head = await reader.readuntil(b"\r\n\r\n")
    host, _, port = head.split(b" ")[1].decode().partition(":")
    there_reader, there_writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def carry(source, sink):
        try:
            while data := await source.read(65536):
                sink.write(data)
        except ConnectionError:
            pass
        finally:
            sink.close()

    await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer))


def test_through_a_proxy(library, server_tls, client_tls):
    async def main():
        proxy = await asyncio.start_server(connect_proxy, "127.0.0.1", 0)
        at = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        async with LlmServer(tls=server_tls) as server:
            http = library.AsyncClient(verify=client_tls, proxy=at)
            original = openai.AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0, http_client=http)
            async with warm(original) as client:
                assert await transport_of(client).wait_warm()
                assert await ask(client) == "word0 word1 word2"
                await until(lambda: [each.tier for each in transport_of(client).recent] == ["warm"])
                assert transport_of(client).recent[-1].reused
                # A connection that still opens, or whose answer is not over, would be spared.
                await settled(transport_of(client).origin)
                await until(lambda: not server.busy)
                before = server.connections
                server.drop_idle()
                await until(lambda: server.connections == before + 2)
                await transport_of(client).wait_warm()
                assert await ask(client) == "word0 word1 word2"
            await original.close()
        proxy.close()
        await until(lambda: len(asyncio.all_tasks()) == 1)

    asyncio.run(main())
