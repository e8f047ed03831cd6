"""The process: it serves, says where on stdout, and ends with its parent."""

import asyncio
import json
import os
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import uvicorn

from warmline.emulators.listener import Listener, listen
from warmline.emulators.openai.app import create_app
from warmline.emulators.openai.connections import ClientConnection, websocket_when_asked
from warmline.emulators.openai.emulation import Emulation

__all__ = ["Where", "serve"]

_GRACE_SEC = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where to serve. `port` 0 takes a free one; `control_port` None: no control path.

    `rtt_sec` is the distance of a `WanProxy` in front (None: none); `namespace` is the network namespace that it is in.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False
    http2: bool = False
    ca_file: Path | None = None
    control_port: int | None = None
    rtt_sec: float | None = None
    namespace: str | None = None


async def serve(emulation: Emulation, where: Where) -> None:
    """Serve until SIGTERM, SIGINT or the end of stdin.

    Raises:
        OSError: an address cannot be had, or the file of the certificate authority not be written.
    """
    async with AsyncExitStack() as stack:
        front = _listen(where)
        stack.callback(front.close)
        tls, ca_file = _tls(where, stack) if where.tls else (None, None)
        control = _control(where, stack)
        server = _Server(_config(emulation, tls), control, emulation)
        announced = _announcement(front, where, ca_file, control)
        if where.rtt_sec is not None:
            from warmline.emulators.wan import WanProxy

            behind = listen("127.0.0.1", 0)
            proxy = await WanProxy.start(front, *behind.getsockname(), rtt_sec=where.rtt_sec)
            stack.push_async_callback(proxy.aclose)
            front = behind
        front.on_accept = emulation.traffic.count_accepted
        loop = asyncio.get_running_loop()
        _at_end_of_input(lambda: loop.call_soon_threadsafe(server.stop_now))
        await server.announce_and_serve(front, announced)


def _listen(where: Where) -> Listener:
    if where.namespace is None:
        return listen(where.host, where.port)
    from warmline.emulators.wan import entered

    with entered(where.namespace):
        return listen(where.host, where.port)


def _control(where: Where, stack: AsyncExitStack) -> Listener | None:
    return None if where.control_port is None else stack.enter_context(listen("127.0.0.1", where.control_port))


def _tls(where: Where, stack: AsyncExitStack) -> tuple[ssl.SSLContext, Path]:
    from warmline.emulators.openai.tls import tls_context

    ca_file = where.ca_file
    if ca_file is None:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="warmline-ca-"))
        ca_file = Path(folder) / "ca.pem"
    return tls_context(ca_file, http2=where.http2, addresses=(where.host,)), ca_file


def _config(emulation: Emulation, tls: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        create_app(emulation),
        loop="asyncio",
        http=cast("type[asyncio.Protocol]", partial(ClientConnection, emulation)),
        ws=cast("type[asyncio.Protocol]", partial(websocket_when_asked, emulation)),
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SEC,
    )
    config.load()
    config.ssl = tls
    return config


def _announcement(front: Listener, where: Where, ca_file: Path | None, control: Listener | None) -> Mapping[str, str]:
    said = {"url": f"{'https' if where.tls else 'http'}://{_address(front)}/v1"}
    if ca_file is not None:
        said["ca"] = str(ca_file)
    if control is not None:
        said["control"] = f"http://{_address(control)}"
    return said


def _address(listener: Listener) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(uvicorn.Server):
    """Says on stdout, in one line of JSON, where it serves; the control path shares its loop and its end."""

    def __init__(self, config: uvicorn.Config, control: Listener | None, emulation: Emulation) -> None:
        super().__init__(config)
        self._control = control
        self._emulation = emulation
        self._announced: Mapping[str, str] = {}

    async def announce_and_serve(self, listener: Listener, announced: Mapping[str, str]) -> None:
        self._announced = announced
        await self.serve(sockets=[listener])

    async def startup(self, sockets: "list[Listener] | None" = None) -> None:  # type: ignore[override]  # ours alone
        await super().startup(list(sockets or []))
        if self.started and self._control is not None:
            await self._start_control(self._control)
        if self.started:
            print(json.dumps(self._announced), flush=True)

    async def _start_control(self, listener: Listener) -> None:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        from warmline.emulators.openai.control import create_control

        config = uvicorn.Config(
            create_control(self._emulation), lifespan="off", ws="none", log_config=None, access_log=False
        )
        config.load()
        protocol = partial(H11Protocol, config, self.server_state, {})
        self.servers.append(await asyncio.get_running_loop().create_server(protocol, sock=listener))

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
