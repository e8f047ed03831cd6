"""The process: it serves, says where on stdout, and ends with its parent."""

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn

from warmline.emulators.openai.app import create_app
from warmline.emulators.openai.pace import Pace

__all__ = ["listen", "serve"]

_GRACE_SEC = 1


async def serve(pace: Pace, host: str, port: int, keep_alive_sec: int) -> None:
    """Serve until SIGTERM, SIGINT or the end of stdin; `port` 0 takes a free one.

    Raises:
        OSError: the address cannot be had.
    """
    listener = listen(host, port)
    config = uvicorn.Config(
        create_app(pace),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=keep_alive_sec,
        timeout_graceful_shutdown=_GRACE_SEC,
    )
    server = _AnnouncedServer(config)
    loop = asyncio.get_running_loop()
    _at_end_of_input(lambda: loop.call_soon_threadsafe(server.stop_now))
    await server.serve(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections send every token at once.

    asyncio turns Nagle's algorithm off only on sockets that say that they are TCP, which those of
    `socket.create_server` do not; with it, the second token waits for an acknowledgement: about 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


class _AnnouncedServer(uvicorn.Server):
    """Says on stdout, in one line of JSON, where it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(json.dumps({"url": f"http://{shown}:{port}/v1"}), flush=True)

    def stop_now(self) -> None:
        """End without waiting for open streams: whoever read them is gone."""
        self.should_exit = True
        self.force_exit = True


def _at_end_of_input(stop: Callable[[], object]) -> None:
    """Call `stop`, from a thread, once stdin has ended: the parent that held its other end is gone.

    Not on a terminal: a background job that reads one is stopped by the kernel.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return
    descriptor = sys.stdin.fileno()

    def wait() -> None:
        while os.read(descriptor, 4096):
            pass
        stop()

    threading.Thread(target=wait, name="end-of-input", daemon=True).start()
