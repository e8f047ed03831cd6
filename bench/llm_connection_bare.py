"""The floor as this machine has it: the same request over a TLS socket that is open, with no library in between.

It is measured in each arm's process, among its other requests; what it takes above the floor is what the machine, its
other load and this ruler add to every figure.
"""

import asyncio
import json
import socket
import ssl
import time
from urllib.parse import urlsplit

from llm_connection_asking import Turn, length_of, messages_of

__all__ = ["BareSocket"]


class BareSocket:
    """One open connection, asked by hand-written HTTP/1.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def open(cls, base_url: str) -> "BareSocket":
        """Connect."""
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port or 443
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setblocking(False)
        if hasattr(socket, "TCP_CONGESTION"):  # BBR would hold back what its window would take
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        await asyncio.get_running_loop().sock_connect(sock, socket.getaddrinfo(host, port, socket.AF_INET)[0][4])
        tls = ssl.create_default_context()
        streams = await asyncio.open_connection(sock=sock, ssl=tls, server_hostname=host)
        return cls(*streams, f"{host}:{port}")

    async def ask(self, turn: Turn) -> float:
        """Milliseconds to the first words; the answer is read to its end."""
        asked = {"model": "m", "messages": messages_of(turn), "stream": True, **length_of(turn)}
        body = json.dumps(asked).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: {self._host}\r\nauthorization: Bearer x\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        began_sec = time.perf_counter()
        self._writer.write(head.encode() + body)
        await self._reader.readuntil(b'"content":"')
        first_ms = 1e3 * (time.perf_counter() - began_sec)
        await self._reader.readuntil(b"0\r\n\r\n")
        return first_ms

    def renew_key(self, key: str) -> None:
        """Any key is accepted."""

    async def aclose(self) -> None:
        """Close it."""
        self._writer.close()
