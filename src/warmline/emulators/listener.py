"""Sockets that emulators listen on."""

import socket
from collections.abc import Callable

__all__ = ["Listener", "listen"]


class Listener(socket.socket):
    """A listening socket that says when it has accepted a connection."""

    on_accept: Callable[[], object] | None = None

    def accept(self) -> tuple[socket.socket, object]:
        """The next connection, whatever becomes of it."""
        accepted = super().accept()
        if self.on_accept is not None:
            self.on_accept()
        return accepted


def listen(host: str, port: int) -> Listener:
    """A listening socket whose connections send every token at once; `port` 0 takes a free one.

    asyncio turns Nagle's algorithm off only on sockets that say that they are TCP, which those of
    `socket.create_server` do not; with it, the second token waits for an acknowledgement: about 40 ms.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
