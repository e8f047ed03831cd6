"""Uploads that fill the window of a server that takes its time to read."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from warmline.connections.http import SocketCare, WarmSettings, transport_of, warm


class SlowReader:
    """Reads an upload only when it is told to."""

    def __init__(self):
        self.read = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if head.startswith(b"post"):
                    await self.read.wait()
                    await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_USER_TIMEOUT is Linux's")
def test_a_server_that_reads_a_large_upload_late(library):
    def limits(transport):
        wires = [each._dialler.wire for each in transport.origin._connections]
        return {wire.extra("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) for wire in wires}

    async def main():
        async with SlowReader() as server:
            http = library.AsyncClient(base_url=server.url, timeout=30)
            settings = WarmSettings(floor=1, care=SocketCare(user_timeout_ms=300))
            async with warm(http, settings=settings) as client:
                transport = transport_of(client)
                assert await transport.wait_warm()
                upload = asyncio.create_task(client.post("/audio", content=b"x" * (16 << 20)))
                await asyncio.sleep(1.5)
                assert limits(transport) == {0, 300}, "only the upload is let wait"
                server.read.set()
                assert (await upload).status_code == 200
                assert (await client.get("/")).status_code == 200
                assert transport.recent[-1].reused
                assert 300 in limits(transport)
            await http.aclose()

    asyncio.run(main())
