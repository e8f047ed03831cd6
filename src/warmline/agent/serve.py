"""`warmline serve`: listen, warm up, take calls until told to stop."""

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from warmline.agent.blas import use_one_blas_thread
from warmline.agent.listening import listen
from warmline.agent.memory import use_few_arenas
from warmline.agent.recovery import rerun_when_back
from warmline.agent.warm_start import WarmStart
from warmline.clock import SystemClock
from warmline.events import Event
from warmline.health import Drain, Health
from warmline.session import Emit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmline.agent.door import Door
    from warmline.agent.server import Switchboard
    from warmline.health import Gate
    from warmline.settings import Scenario, Settings

__all__ = ["explain_start", "run", "serve"]

_LOOK_AGAIN_SEC = 0.25
_LAST_TURN_SEC = 12.0


def _unobserved(event: Event) -> None:
    """Nobody subscribes."""


def serve(settings: "Settings", scenario: "Scenario", say: Callable[[str], None], emit: Emit = _unobserved) -> int:
    """Run the agent until SIGINT or SIGTERM; returns the exit status. `say` is given what a person wants to read.

    SIGINT ends calls at once; SIGTERM lets them go on for the drain's grace, and once more ends that.

    Raises:
        ConfigError: the address can not be listened on.
        WarmlineError: with the policy `block`, a part that no call can do without could not be made.
    """
    asked = _note_interrupts()
    use_few_arenas()
    use_one_blas_thread()
    _configure_logging(settings.log_level)
    asyncio.run(_until_signalled(settings, scenario, say, emit, asked))
    return 0


def explain_start(settings: "Settings", scenario: "Scenario") -> str:
    """The plan of the warm-up as a table; nothing is run."""
    return WarmStart(settings, scenario, clock=SystemClock(), emit=_unobserved).plan.explain()


async def run(
    settings: "Settings",
    scenario: "Scenario",
    *,
    say: Callable[[str], None],
    stop: asyncio.Event,
    drain: Drain | None = None,
    emit: Emit = _unobserved,
    gates: "Mapping[str, Gate] | None" = None,
    ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Warm up, take calls until `stop` is set or `drain` is over, give everything back.

    `gates` must be open for the server to be ready. `ready` is told the port once it is, for the first time.

    Raises:
        ConfigError: an address can not be listened on.
        WarmlineError: with the policy `block`, a part that no call can do without could not be made.
    """
    drain = drain or Drain(grace_sec=settings.drain_grace_sec)
    clock = SystemClock()
    with listen(settings.host, settings.port) as public, listen("127.0.0.1", settings.operations_port) as operations:
        settings = settings.listening_on(public.getsockname()[1])
        warm_start = WarmStart(settings, scenario, clock=clock, emit=emit)
        async with contextlib.AsyncExitStack() as stack:
            if await _stopped_while(_enter(stack, warm_start), stop):
                return
            # Heavy; a step of the plan has loaded them.
            from warmline.agent.door import Door
            from warmline.agent.server import Switchboard, create_app, operations_app

            gates = {**warm_start.gates, **(gates or {})}
            health = Health(warm_start.plan, floors=warm_start.floors, gates=gates, drain=drain, clock=clock)
            switchboard = Switchboard(settings, scenario.name, warm_start.kit, drain, clock=clock, emit=emit)
            doors = [
                Door(create_app(settings, switchboard, health), public, settings.log_level),
                Door(operations_app(health, operations.getsockname()[1]), operations, settings.log_level),
            ]
            say(f"Listening: {_address(settings)} (its state: {_operations(doors[1])})")
            await _take_calls(
                doors,
                [
                    _announce(settings, health, warm_start, say, ready),
                    _leave(drain, switchboard, stop),
                    rerun_when_back(warm_start.plan, lambda: warm_start.model_answers and not drain.begun, clock),
                ],
                stop,
            )


async def _take_calls(doors: "list[Door]", meanwhile: list[Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as tasks:
        until_stopped = [tasks.create_task(each) for each in meanwhile]
        serving = [tasks.create_task(door.serve()) for door in doors]
        await stop.wait()
        for task in until_stopped:
            task.cancel()
        for door in doors:
            door.close()
        await asyncio.wait(serving)


async def _enter(stack: contextlib.AsyncExitStack, warm_start: WarmStart) -> None:
    await stack.enter_async_context(warm_start)
    await warm_start.web_server_loaded.wait()


async def _announce(
    settings: "Settings",
    health: Health,
    warm_start: WarmStart,
    say: Callable[[str], None],
    ready: Callable[[int], None],
) -> None:
    """Say that calls are welcome, once the server is ready."""
    told: tuple[str, ...] = ()
    while not (verdict := health.probe()).ready:
        closed = tuple(name for name in verdict.missing if name.startswith("gate "))
        if closed and verdict.started and closed != told:
            told = closed
            say(f"Not ready: {'; '.join(closed)}. Calls are taken at {_address(settings)} all the same.")
        warm_start.changed.clear()
        with contextlib.suppress(TimeoutError):  # spares come without an event of the plan
            async with asyncio.timeout(_LOOK_AGAIN_SEC):
                await warm_start.changed.wait()
    without = f", without {', '.join(verdict.degraded)}" if verdict.degraded else ""
    say(f"Warm ({settings.warm}) after {warm_start.plan.report().wall_sec:.2f} s{without}.")
    say(f"Call it: {_address(settings)}")
    ready(settings.port)


async def _leave(drain: Drain, switchboard: "Switchboard", stop: asyncio.Event) -> None:
    """Once the drain has begun: wait for live calls, let those that are left finish their turn, then stop."""
    if await drain.finished():
        await switchboard.hang_up(within_sec=_LAST_TURN_SEC)
    stop.set()


def _note_interrupts() -> threading.Event:
    """Set by a SIGTERM, and by a Ctrl-C, also by one whose exception was lost: imports may catch everything."""
    asked = threading.Event()

    def interrupt(*_: object) -> None:
        asked.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    return asked


async def _until_signalled(
    settings: "Settings", scenario: "Scenario", say: Callable[[str], None], emit: Emit, asked: threading.Event
) -> None:
    stop, drain = asyncio.Event(), Drain(grace_sec=settings.drain_grace_sec)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.add_signal_handler(signal.SIGTERM, _on_sigterm, drain, stop)
    if asked.is_set():
        stop.set()
    await run(settings, scenario, say=say, stop=stop, drain=drain, emit=emit)


def _on_sigterm(drain: Drain, stop: asyncio.Event) -> None:
    if not drain.live:  # also while it is still starting
        stop.set()
    drain.begin()


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


def _operations(door: "Door") -> str:
    return f"http://127.0.0.1:{door.port}/warmz"


def _address(settings: "Settings") -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/"


def _configure_logging(level: str) -> None:
    """Our log to stderr; Pipecat's only from warnings on, since its debug lines quote the caller.

    azure-identity's not at all: its warnings quote whatever the identity endpoint has answered.
    """
    from loguru import logger

    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    logger.remove()
    logger.add(sys.stderr, level=max(level.upper(), "WARNING", key=lambda name: logger.level(name).no))
