"""Starts the process of an arm, waits until it is ready, looks at what that took, and calls it once."""

import asyncio
import http.client
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from startup_arms import Arm, Ready
from warmline.measure import Caller, CallPlan, ServerProcess

__all__ = ["NotMeasurable", "Start", "one_start"]

_TIMEOUT_SEC = 90.0
_LOOK_SEC = 0.01
_WELCOME = "\nCall it: "
_GREETING = CallPlan(connect_timeout_sec=30, greeting_timeout_sec=30)
_TICKS_HZ = os.sysconf("SC_CLK_TCK")


class NotMeasurable(Exception):  # noqa: N818 - what the report says
    """The arm did not become ready here; the message says why."""


@dataclass(slots=True, kw_only=True)
class Start:
    """One start. `cpu_sec` is of the process and all its children until ready, `steps_sec` of each step of the plan.

    `wall_sec` is the plan's own, from its opening to the end of its last step.
    """

    ready_ms: float
    cpu_sec: float
    greeting_ms: float | None = None
    wall_sec: float = 0.0
    steps_sec: dict[str, float] = field(default_factory=dict)


def one_start(arm: Arm, environment: Mapping[str, str]) -> Start:
    """Start it, measure, call it, end it.

    Raises:
        NotMeasurable: it did not become ready, or not with everything verified, or its first call failed.
    """
    port, operations_port = _free_port(), _free_port()
    with _started(arm, environment, port, operations_port) as (server, printed):
        ready_sec = _until_ready(arm, server, port, printed)
        start = Start(ready_ms=1000 * (ready_sec - server.started_sec), cpu_sec=_cpu_sec(server.pid))
        if arm.ready is Ready.PROBE:
            report = _verified(_get(operations_port, "/warmz")[1], printed)
            start.wall_sec = report["wall_sec"]
            start.steps_sec = {step["name"]: step["took_sec"] for step in report["steps"]}
        if arm.ready is not Ready.LINE:
            start.greeting_ms = _first_greeting_ms(port)
    return start


@contextmanager
def _started(
    arm: Arm, environment: Mapping[str, str], port: int, operations_port: int
) -> Iterator[tuple[ServerProcess, Path]]:
    ports = ["--port", str(port)]
    if arm.ready is Ready.PROBE:
        ports += ["--operations-port", str(operations_port)]
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        given = {**environment, **arm.environment}
        with ServerProcess([*arm.command, *ports], environment=given, output=log.file) as server:
            yield server, Path(log.name)


def _until_ready(arm: Arm, server: ServerProcess, port: int, printed: Path) -> float:
    while time.monotonic() < server.started_sec + _TIMEOUT_SEC:
        if _is_ready(arm, port, printed):
            return time.monotonic()
        if server.exit_status is not None:
            raise NotMeasurable(f"it ended with status {server.exit_status}: {_last_line(printed)}")
        time.sleep(_LOOK_SEC)
    raise NotMeasurable(f"not ready within {_TIMEOUT_SEC:g} s: {_last_line(printed)}")


def _is_ready(arm: Arm, port: int, printed: Path) -> bool:
    if arm.ready is Ready.LINE:
        return "ready" in printed.read_text().splitlines()
    # It says so itself: asked a hundred times a second, it would spend a good part of its start on answers.
    if arm.ready is Ready.PROBE and _WELCOME not in printed.read_text():
        return False
    try:
        status, _ = _get(port, "/readyz")
    except OSError:
        return False
    return status == 200 or (arm.ready is Ready.ANSWERS and status != 503)


def _get(port: int, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SEC)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def _verified(detail: Any, printed: Path) -> Any:
    report = detail["warm_up"]
    if lacking := [step["name"] for step in report["steps"] if step["state"] != "verified"]:
        raise NotMeasurable(f"not everything was verified ({', '.join(lacking)}):\n{printed.read_text()}")
    return report


def _first_greeting_ms(port: int) -> float:
    result = asyncio.run(Caller(f"ws://127.0.0.1:{port}/ws").call(_GREETING))
    if not result.completed or result.greeting_ms is None:
        raise NotMeasurable(f"its first call failed: {result.failure or result.faults}")
    return result.greeting_ms


def _cpu_sec(pid: int) -> float:
    """User and system time of `pid` and its descendants, those included that have ended and were waited for."""
    used, children = _processes()
    family, total_ticks = [pid], 0
    while family:
        each = family.pop()
        total_ticks += used.get(each, 0)
        family += children.get(each, [])
    return total_ticks / _TICKS_HZ


def _processes() -> tuple[dict[int, int], dict[int, list[int]]]:
    """Ticks of each process, and the children of each: utime, stime, cutime, cstime and ppid of proc(5)."""
    used: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        used[int(folder.name)] = sum(map(int, fields[11:15]))
        children.setdefault(int(fields[1]), []).append(int(folder.name))
    return used, children


def _last_line(printed: Path) -> str:
    return next(iter(reversed(printed.read_text().strip().splitlines())), "it printed nothing")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
