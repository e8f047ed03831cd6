"""A port that callers find from the first moment on."""

import socket

from warmline.errors import ConfigError

__all__ = ["listen"]

_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A socket that queues callers until somebody serves them.

    Raises:
        ConfigError: the address is taken, or not ours.
    """
    # The protocol is named because asyncio turns Nagle's algorithm off only on sockets that say they are TCP, and with
    # it small frames wait for the acknowledgement of those before them.
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(_BACKLOG)
    except OSError as error:
        door.close()
        raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return door
