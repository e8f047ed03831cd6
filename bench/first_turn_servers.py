"""Servers of the arms: started, waited for, called, and gone afterwards."""

import asyncio
import http
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from first_turn_arms import Arm
from warmline.measure import Caller, CallPlan, CallResult, ServerProcess

__all__ = ["call_of_new_server", "run_to_end", "running"]

_Made = TypeVar("_Made")

_LOGS = Path(__file__).parent / ".cache" / "logs"
_START_TIMEOUT_SEC = 60.0
_SETTLE_SEC = 0.5


def run_to_end(work: Coroutine[Any, Any, _Made]) -> _Made:
    """Run `work`; SIGTERM ends it as Ctrl-C does, with every server gone."""

    async def main() -> _Made:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _cancel, asyncio.current_task())
        return await work

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None


def _cancel(task: asyncio.Task[Any] | None) -> None:
    if task is not None:
        task.cancel()


@asynccontextmanager
async def running(arm: Arm, llm_url: str) -> AsyncIterator[Caller]:
    """A server of this arm that answers, and a caller for it."""
    with _started(arm, llm_url) as (server, port):
        try:
            await _until_it_answers(server, port, arm)
            yield _caller(port)
        finally:
            await asyncio.to_thread(server.stop)


async def call_of_new_server(arm: Arm, llm_url: str, plan: CallPlan) -> CallResult:
    """A call that begins with the start of the server's process."""
    with _started(arm, llm_url) as (server, port):
        try:
            return await _caller(port).call(plan, called_sec=server.started_sec)
        finally:
            await asyncio.to_thread(server.stop)


@contextmanager
def _started(arm: Arm, llm_url: str) -> Iterator[tuple[ServerProcess, int]]:
    port = _free_port()
    command = [*arm.command, "--port", str(port)]
    with (
        _log(arm).open("ab") as log,
        ServerProcess(command, environment=arm.environment(llm_url), output=log) as server,
    ):
        yield server, port


def _log(arm: Arm) -> Path:
    _LOGS.mkdir(parents=True, exist_ok=True)
    return _LOGS / f"{arm.name.replace(' ', '_')}.log"


def _caller(port: int) -> Caller:
    return Caller(f"ws://127.0.0.1:{port}/ws")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def _until_it_answers(server: ServerProcess, port: int, arm: Arm) -> None:
    # One that has no such probe answers once it is through with its start. Neither warms anything that a call needs.
    async with asyncio.timeout(_START_TIMEOUT_SEC):
        while not await asyncio.to_thread(_answers, port):
            if server.exit_status is not None:
                raise SystemExit(f"{arm.name}: the server ended with status {server.exit_status}; see {_log(arm)}")
            await asyncio.sleep(0.05)
    await asyncio.sleep(_SETTLE_SEC)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=_START_TIMEOUT_SEC):
            return True
    except urllib.error.HTTPError as refusal:
        return refusal.code != http.HTTPStatus.SERVICE_UNAVAILABLE
    except OSError:
        return False
