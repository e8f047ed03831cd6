"""`warmline serve`: warm up, listen, take calls until told to stop."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from warmline.agent.memory import use_few_arenas
from warmline.agent.warm_start import WarmStart
from warmline.agent.wire import MAX_FRAME_BYTES
from warmline.clock import SystemClock
from warmline.errors import ConfigError
from warmline.events import Event
from warmline.session import Emit

if TYPE_CHECKING:
    from warmline.settings import Scenario, Settings

__all__ = ["run", "serve"]

_GRACE_SEC = 3
_BACKLOG = 2048


def _unobserved(event: Event) -> None:
    """Nobody subscribes."""


def serve(settings: "Settings", scenario: "Scenario", say: Callable[[str], None]) -> int:
    """Run the agent until SIGINT or SIGTERM; returns the exit status. `say` is given what a person wants to read.

    Raises:
        ConfigError: the address can not be listened on.
        WarmlineError: an engine that no call can do without would not start.
    """
    use_few_arenas()
    _configure_logging(settings.log_level)
    asyncio.run(_until_signalled(settings, scenario, say))
    return 0


async def run(
    settings: "Settings",
    scenario: "Scenario",
    *,
    say: Callable[[str], None],
    stop: asyncio.Event,
    emit: Emit = _unobserved,
    listening: Callable[[int], None] = lambda port: None,
) -> None:
    """Warm up, take calls until `stop` is set, give everything back. `listening` is told the port.

    Raises:
        ConfigError: the address can not be listened on.
        WarmlineError: an engine that no call can do without would not start.
    """
    clock = SystemClock()
    began_sec = clock.now()
    with _listen(settings.host, settings.port) as door:
        settings = settings.listening_on(door.getsockname()[1])
        async with WarmStart(settings, scenario, clock=clock, emit=emit, say=say) as warm_start:
            if await _stopped_while(_warm_up(warm_start, settings.warm), stop):
                return
            say(f"Warm ({settings.warm}) after {clock.now() - began_sec:.2f} s.")
            from warmline.agent.server import create_app

            app = create_app(settings, scenario.name, warm_start.kit, clock=clock, emit=emit)

            def on_listening() -> None:
                say(f"Call it: {_address(settings)}")
                listening(settings.port)

            server = _Server(_uvicorn_config(app, settings.log_level), on_listening)
            async with asyncio.TaskGroup() as tasks:
                stopping = tasks.create_task(_stop_when(stop, server))
                await server.serve(sockets=[door])
                stopping.cancel()


async def _until_signalled(settings: "Settings", scenario: "Scenario", say: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, scenario, say=say, stop=stop)


async def _stopped_while(work: Coroutine[object, object, None], stop: asyncio.Event) -> bool:
    """Do `work`, unless `stop` is set before it is done; whether it was."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait([working])
    if working.cancelled():
        return True
    working.result()
    return False


async def _stop_when(stop: asyncio.Event, server: uvicorn.Server) -> None:
    await stop.wait()
    server.should_exit = True


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_listening()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _warm_up(warm_start: WarmStart, how: str) -> None:
    if how == "imports":
        await warm_start.imports()
    elif how == "all":
        await warm_start.kit()
        await warm_start.exercise()


def _uvicorn_config(app: object, log_level: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type] # an ASGI app; the precise type would import FastAPI here
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        # Our own limit is lower and explains itself; this one only guards the memory.
        ws_max_size=16 * MAX_FRAME_BYTES,
        log_level=log_level,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_SEC,
    )


def _listen(host: str, port: int) -> socket.socket:
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


def _address(settings: "Settings") -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/"


def _configure_logging(level: str) -> None:
    """Our log to stderr; Pipecat's only from warnings on, since its debug lines quote the caller."""
    from loguru import logger

    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logger.remove()
    logger.add(sys.stderr, level=max(level.upper(), "WARNING", key=lambda name: logger.level(name).no))
