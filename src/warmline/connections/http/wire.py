"""One socket under one HTTP connection: bytes in and out, and the news, at once, that the peer is gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from warmline.connections.http.socket_options import LARGE_UPLOAD_BYTES

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

__all__ = ["Wire"]

READ_AHEAD_BYTES = 256 * 1024
TOGETHER_BYTES = 64 * 1024


class Wire(asyncio.Protocol):
    """Reads ahead all the time, also while nobody asks: only so is a close seen before the next request.

    What is written in one go (httpcore writes the head and the body of a request apart) leaves as one: fewer TLS
    records, and full packets, which a paced connection sends in pairs.

    It also takes in what TLS sends unasked (session tickets, key updates), which would otherwise make a healthy idle
    socket look readable, that is closed.

    Args:
        before_upload: called with the socket and the size of what is sent first in an exchange, before it is.
        let_wait: called with the socket and True when an upload becomes a large one, and False with the next exchange.

    Attributes:
        dead: done when the peer closed, the socket failed, or something came while the connection was idle.
        sent_bytes, received_bytes: so far, before encryption.
        idle: nobody expects anything; whatever comes now is no answer.
    """

    def __init__(
        self,
        before_upload: Callable[[Any, int], None] | None = None,
        let_wait: Callable[[Any, bool], None] | None = None,
    ) -> None:
        self._before_upload = before_upload
        self._let_wait = let_wait
        self._upload_bytes = 0
        self._waits = False
        self.dead: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent_bytes: int = 0
        self.received_bytes: int = 0
        self.idle: bool = False
        self._begun = False
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._outgoing = bytearray()
        self._ended = False
        self._failure: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._full = False
        self._paused = False

    # --- what the event loop tells ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._buffer += data
        self.received_bytes += len(data)
        _wake(self._reader)
        if self.idle:
            self._die()
        elif len(self._buffer) > READ_AHEAD_BYTES and self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """The peer will send no more; what it sent before is still there to be read."""
        self._ended = True
        self._die()
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._failure = self._failure or exc
        self._ended = True
        self._full = False
        self._die()
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self._full = True

    def resume_writing(self) -> None:
        """It does again."""
        self._full = False
        _wake(self._writer)

    # --- what a connection does ------------------------------------------------------------------------------------

    def begin_exchange(self) -> None:
        """A request is about to be written, and its answer is expected."""
        self.idle = self._begun = False
        self._upload_bytes = 0
        self._set_waits(False)

    async def read(self, max_bytes: int) -> bytes:
        """The next bytes, at least one; none at the end.

        Raises:
            ConnectionError: the socket failed.
        """
        # Whoever reads has written all that there is to write for now. Left to the loop, it would wait for whatever
        # else is ready: in a burst, for the code of all other requests.
        self._send()
        while not self._buffer:
            if self._failure is not None:
                raise ConnectionError(type(self._failure).__name__) from self._failure
            if self._ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        data = bytes(self._buffer[:max_bytes])
        del self._buffer[:max_bytes]
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send `data`; waits while the kernel takes no more.

        Raises:
            ConnectionError: the socket is closed or failed.
        """
        if self._ended or self._transport is None or self._transport.is_closing():
            raise ConnectionError("closed by the peer") from self._failure
        self.sent_bytes += len(data)
        self._upload_bytes += len(data)
        self._set_waits(self._upload_bytes > LARGE_UPLOAD_BYTES)
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._send)
        self._outgoing += data
        if len(self._outgoing) >= TOGETHER_BYTES:
            self._send()
        while self._full:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        if self._failure is not None:
            raise ConnectionError(type(self._failure).__name__) from self._failure

    async def start_tls(self, context: ssl.SSLContext, hostname: str | None, timeout_sec: float | None) -> None:
        """Encrypt from here on; closes the socket if the handshake fails.

        Raises:
            ssl.SSLError, OSError: the handshake failed.
        """
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        try:
            encrypted = await loop.start_tls(
                self._transport, self, context, server_hostname=hostname, ssl_handshake_timeout=timeout_sec
            )
        except BaseException:
            self.abort()
            raise
        self._transport = encrypted

    async def aclose(self) -> None:
        """Say goodbye, and do not wait for an answer."""
        if self._transport is None:
            return
        try:
            self._send()
            self._transport.close()
            await asyncio.sleep(0)
        finally:
            self.abort()

    def abort(self) -> None:
        """Gone at once."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def unexpected(self) -> bool:
        """There is something to read, or the end."""
        return bool(self._buffer) or self._ended or self._transport is None or self._transport.is_closing()

    @property
    def fell_silent(self) -> bool:
        """It died because the peer no longer acknowledged anything: a route is gone, not a connection."""
        return isinstance(self._failure, TimeoutError)

    def extra(self, name: str) -> Any:
        """What the transport knows: `socket`, `ssl_object`, `peername`."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    def _set_waits(self, waits: bool) -> None:
        if waits is not self._waits and self._let_wait is not None:
            self._waits = waits
            self._let_wait(self.extra("socket"), waits)

    def _send(self) -> None:
        if self._outgoing and self._transport is not None:
            outgoing, self._outgoing = self._outgoing, bytearray()
            if not self._begun and self._before_upload is not None:
                self._begun = True
                self._before_upload(self.extra("socket"), len(outgoing))
            self._transport.write(outgoing)

    def _die(self) -> None:
        if not self.dead.done():
            self.dead.set_result(None)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
