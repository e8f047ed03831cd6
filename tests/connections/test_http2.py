"""HTTP/2 is permitted and reported, and not kept warm."""

from __future__ import annotations

import asyncio
import json

import h2.config
import h2.connection
import h2.events

from warmline.connections.http import transport_of, warm


class Http2Server:
    """Answers every request with a small JSON."""

    def __init__(self):
        self.connections = 0
        self.paths = []

    async def handle(self, reader, writer):
        self.connections += 1
        http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        http.initiate_connection()
        writer.write(http.data_to_send())
        while data := await reader.read(65536):
            for event in http.receive_data(data):
                self.answer(http, event)
            writer.write(http.data_to_send())
        writer.close()

    def answer(self, http, event):
        if isinstance(event, h2.events.RequestReceived):
            self.paths.append(dict(event.headers)[b":path"].decode())
        if isinstance(event, h2.events.StreamEnded):
            body = json.dumps({"object": "list", "data": []}).encode()
            http.send_headers(event.stream_id, [(":status", "200"), ("content-length", str(len(body)))])
            http.send_data(event.stream_id, body, end_stream=True)


def test_http2_works_is_timed_and_stands_apart(library, server_tls, client_tls):
    async def main():
        server_tls.set_alpn_protocols(["h2"])
        http2 = Http2Server()
        server = await asyncio.start_server(http2.handle, "127.0.0.1", 0, ssl=server_tls)
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
        original = library.AsyncClient(base_url=url, http2=True, verify=client_tls)
        async with warm(original) as client:
            assert not await transport_of(client).wait_warm(timeout=0.1)
            assert http2.connections == 0, "nothing was opened ahead"
            for reused in (False, True):
                assert (await client.get("/models")).json() == {"object": "list", "data": []}
                phases = transport_of(client).recent[-1]
                assert (phases.http_version, phases.tier, phases.status) == ("HTTP/2", "plain", 200)
                assert (phases.reused, phases.tls_ms > 0) == (reused, not reused)
            assert http2.connections == 1
            assert transport_of(client).snapshot() is None
        await original.aclose()
        server.close()
        await asyncio.sleep(0.05)

    asyncio.run(main())
