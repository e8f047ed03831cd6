"""The worker's own end of its socket: blocking, for code that does one thing at a time."""

import select
import socket

from warmline.workers.frames import FrameDecoder, Message, encode

__all__ = ["Channel"]

_READ_BYTES = 65536


class Channel:
    """Messages in and out of the process that this code runs in."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._decoder = FrameDecoder()
        self._received: list[Message] = []

    def receive(self) -> Message | None:
        """The next message; None when the other side has closed. Blocks."""
        while not self._received:
            if not self._read():
                return None
        return self._received.pop(0)

    def pending(self) -> bool:
        """Whether `receive` would return at once. Lets long work notice a cancellation between two pieces."""
        if self._received:
            return True
        readable, _, _ = select.select([self._sock], [], [], 0)
        return bool(readable)

    def send(self, message: Message) -> None:
        """Hand a message to the other side. Blocks while its buffer is full.

        Raises:
            OSError: the other side is gone.
        """
        self._sock.sendall(encode(message))

    def _read(self) -> bool:
        try:
            data = self._sock.recv(_READ_BYTES)
        except ConnectionError:
            return False
        self._received += self._decoder.feed(data)
        return bool(data)
